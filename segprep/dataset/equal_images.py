"""Images of a tree that are equal byte for byte under several names: one photo, two samples."""

from array import array
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from segprep import engine
from segprep.dataset.tree import Tree
from segprep.files import digest, read_below
from segprep.names import natural_key
from segprep.types import Record

Equal = tuple[tuple[str, ...], ...]  # sets of stems, each in natural order


def equal_images(
    home: Tree,
    stems: Sequence[str],
    *,
    jobs: int = 1,
    recorded: "array[int] | None" = None,
) -> Equal:
    """The sets of *stems* whose images are equal, each of two or more, in natural order.

    A tree that segprep made has the digests in its records; of another one, files of equal size
    are read. Images that cannot be read are equal to none. *recorded*: the first 64 bits of the
    digests in the records, if they were read before.
    """
    if recorded is None and home.manifest:
        recorded = array("Q", (_start(record) for record in home.records()))
    digests = _hashed(home, stems, jobs) if recorded is None else _recorded_twice(home, recorded)
    by_digest: dict[str, list[str]] = defaultdict(list)
    for stem in stems:
        if stem in digests:
            by_digest[digests[stem]].append(stem)
    sets = (tuple(sorted(equal, key=natural_key)) for equal in by_digest.values())
    return tuple(
        sorted((equal for equal in sets if len(equal) > 1), key=lambda equal: natural_key(equal[0]))
    )


def listed(sets: Equal, most: int = 5) -> str:
    """*sets* in words: ``a = b, c = d = e and 3 more``."""
    text = ", ".join(" = ".join(equal) for equal in sets[:most])
    return text + (f" and {len(sets) - most} more" if len(sets) > most else "")


def _recorded_twice(home: Tree, starts: "array[int]") -> dict[str, str]:
    """The digests in the records of images that may be equal to another one: the same beginning,
    of those that *starts* lists.
    """
    ordered = np.sort(np.frombuffer(starts, np.uint64))
    twice = set(ordered[1:][ordered[1:] == ordered[:-1]].tolist())
    if not twice:
        return {}
    return {
        record.stem: record.digests[record.image]
        for record in home.records()
        if _start(record) in twice
    }


def _start(record: Record) -> int:
    return int(record.digests[record.image][:16], 16)


def _hashed(home: Tree, stems: Sequence[str], jobs: int) -> dict[str, str]:
    by_size: dict[int, list[tuple[str, Path]]] = defaultdict(list)
    for stem in stems:
        path = home.image_path(stem)
        if path is not None:
            by_size[path.stat().st_size].append((stem, path))
    alike = [pair for pairs in by_size.values() if len(pairs) > 1 for pair in pairs]
    results = engine.run(_Digest(home.root.resolve()), alike, jobs=jobs, chunk=32)
    return {
        stem: result
        for (stem, _), result in zip(alike, results, strict=True)
        if not isinstance(result, engine.Failure)
    }


@dataclass(frozen=True, slots=True)
class _Digest:
    """The digest of one image, for the engine."""

    root: Path

    def __call__(self, pair: tuple[str, Path]) -> str:
        path = pair[1]
        return digest(read_below(path.parent.resolve() / path.name, (self.root,)))
