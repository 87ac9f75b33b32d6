"""Images of a tree that are equal byte for byte under several names: one photo, two samples."""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from segprep import engine
from segprep.dataset.tree import Tree
from segprep.files import digest, read_below
from segprep.names import natural_key, natural_order
from segprep.packed import PackedNames
from segprep.types import Record

Equal = tuple[tuple[str, ...], ...]  # sets of stems, each in natural order
_DIGEST = 40  # characters of a digest


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
    if recorded is not None:
        return _in_order(_recorded_twice(home, stems, recorded))
    digests = _hashed(home, stems, jobs)
    by_digest: dict[str, list[str]] = defaultdict(list)
    for stem in stems:
        if stem in digests:
            by_digest[digests[stem]].append(stem)
    return _in_order(by_digest.values())


def _in_order(sets: Iterable[Sequence[str]]) -> Equal:
    several = (tuple(natural_order(equal)) for equal in sets if len(equal) > 1)
    return tuple(sorted(several, key=lambda equal: natural_key(equal[0])))


def listed(sets: Equal, most: int = 5) -> str:
    """*sets* in words: ``a = b, c = d = e and 3 more``."""
    text = ", ".join(" = ".join(equal) for equal in sets[:most])
    return text + (f" and {len(sets) - most} more" if len(sets) > most else "")


def _recorded_twice(home: Tree, stems: Sequence[str], starts: "array[int]") -> Iterator[list[str]]:
    """The *stems* whose images have one digest in the records; *starts* lists the first 64 bits of
    all. Sixty bytes for each that may be equal to another one.
    """
    ordered = np.sort(np.frombuffer(starts, np.uint64))
    twice = set(ordered[1:][ordered[1:] == ordered[:-1]].tolist())
    wanted = set(stems) if len(stems) != len(starts) else None
    names, digests = PackedNames(), bytearray()
    for record in home.records() if twice else ():
        if _start(record) in twice and (wanted is None or record.stem in wanted):
            names.append(record.stem)
            digests += record.digests[record.image].encode()[:_DIGEST].ljust(_DIGEST)
    every = np.frombuffer(digests, f"S{_DIGEST}")
    for _, numbers in groupby(np.argsort(every, kind="stable"), key=every.__getitem__):
        yield [names[number] for number in numbers]


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
