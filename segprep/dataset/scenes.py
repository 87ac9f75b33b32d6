"""Groups of samples that show one scene, from the images themselves or from their numbering."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segprep import engine
from segprep.dataset.shards import flat_stems, size_of
from segprep.dataset.tree import Tree
from segprep.errors import SourceError
from segprep.files import digest_array, read_below
from segprep.grouping import groups_of as named_groups
from segprep.imaging import inspection, likeness, shifted
from segprep.names import film_of, natural_key
from segprep.types import Note

ALIKE, NUMBERING = "near-duplicates", "numbering"
SHOWN = 5
DECODED = 64  # pixels on each side, from which the smaller picture is made
FLAT = 2.0  # levels: a standard deviation of the gray picture, below which it shows nothing


@dataclass(frozen=True, slots=True)
class _Thumbnail:
    """The picture of a sample in short, gray (SIDE, SIDE of likeness), as check sees it, and a
    digest of its pixels where it hardly shows anything; None if it cannot be read.
    """

    dataset: Tree

    def __call__(self, stem: str) -> tuple[NDArray[np.uint8], str] | None:
        path = self.dataset.image_path(stem)
        if path is None:
            return None
        roots = (self.dataset.root.resolve(),)
        path = roots[0] / path.relative_to(self.dataset.root)
        try:
            data = read_below(path, roots)
            small = inspection.photograph(data, path, DECODED, full=())
            light = Image.fromarray(small.colors).convert("L")
            size = (likeness.SIDE, likeness.SIDE)
            gray = np.asarray(light.resize(size, Image.Resampling.BOX))
            shown = gray.std() >= FLAT
            return gray, "" if shown else digest_array(inspection.samples(data, path))
        except SourceError:
            return None  # it stays a group of its own; what is wrong with it, check says


def groups_of(
    dataset: Tree, stems: Sequence[str], group_by: str | None, *, jobs: int = 1
) -> tuple[dict[str, str], tuple[Note, ...]]:
    """Stem -> group, and what a person should know of the groups.

    *group_by* is ``near-duplicates`` (images that look alike, also mirrored or encoded again,
    images of following numbers that show one scene from a camera that moved, and what looks like
    them in turn), ``numbering`` (names that differ in their last number only), or
    a rule of :mod:`segprep.grouping`. Raises UsageError.
    """
    if group_by == ALIKE:
        groups = _alike(dataset, stems, jobs)
    elif group_by == NUMBERING:
        names = (
            flat_stems(dataset, stems) if size_of(dataset) else dict(zip(stems, stems, strict=True))
        )
        groups = {stem: film_of(name) or name for stem, name in names.items()}
    else:
        return named_groups(stems, group_by, sharded=size_of(dataset) > 0), ()
    return groups, _notes(groups, str(group_by))


def _alike(dataset: Tree, given: Sequence[str], jobs: int) -> dict[str, str]:
    """The connected groups of images that look alike, each named after its first stem."""
    stems = sorted(given, key=natural_key)
    parents = list(range(len(stems)))

    def root(n: int) -> int:
        while parents[n] != n:
            parents[n] = parents[parents[n]]
            n = parents[n]
        return n

    for a, b in _links(stems, engine.run(_Thumbnail(dataset), stems, jobs=jobs)):
        low, high = sorted((root(a), root(b)))
        parents[high] = low
    groups = {stem: stems[root(n)] for n, stem in enumerate(stems)}
    return {stem: groups[stem] for stem in given}


def _links(stems: Sequence[str], results: Iterable[Any]) -> Iterator[tuple[int, int]]:
    """The numbers of two of *stems*, in natural order, whose images, in *results*, look alike, are
    equal, or show one scene a step further.
    """
    at, thumbnails = list[int](), list[NDArray[np.uint8]]()
    first: dict[str, int] = {}
    for n, result in enumerate(results):
        if result is None or isinstance(result, engine.Failure):
            continue
        gray, digest = result
        if digest:
            yield first.setdefault(digest, n), n
        else:
            at.append(n)
            thumbnails.append(gray)
    for left, right, _, _ in likeness.pairs(thumbnails):
        yield at[left], at[right]
    films = shifted.neighbors(stems[n] for n in at)
    for left, right, _ in shifted.same_scene(thumbnails, films):
        yield at[left], at[right]


def _notes(groups: Mapping[str, str], rule: str) -> tuple[Note, ...]:
    members: dict[str, list[str]] = defaultdict(list)
    for stem, group in groups.items():
        members[group].append(stem)
    several = sorted((m for m in members.values() if len(m) > 1), key=lambda m: (-len(m), m))
    if not several:
        return (Note("groups-found", f"--group-by {rule}: no two samples belong together"),)
    listed = "; ".join(
        ", ".join(sorted(m, key=natural_key)[:3])
        + (f" and {len(m) - 3} more" if len(m) > 3 else "")
        for m in several[:SHOWN]
    )
    more = f"; and {len(several) - SHOWN} more groups" if len(several) > SHOWN else ""
    text = f"--group-by {rule}: {len(several)} groups of {sum(map(len, several))} samples: {listed}"
    return (Note("groups-found", text + more),)
