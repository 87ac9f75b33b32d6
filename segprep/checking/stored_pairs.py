"""The facts of very many samples in a temporary file without a name, read again in the order of the
samples, so that each takes a few bytes of memory.
"""

import marshal
import weakref
from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from itertools import pairwise
from operator import attrgetter
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Any, SupportsBytes

from segprep.checks._common.survey import Cells, ImageFacts, MaskFacts, Pair, Signals, Trouble
from segprep.packed import LazySequence, PackedNames

HELD = 4096  # samples whose facts stay in memory
IN_MEMORY = 1 << 23  # bytes that are kept before there is a file
BLOCK = 128  # samples that are read at once
PART = 1 << 15  # bytes that are written, or read, at once


class Spool:
    """Runs of bytes, one after the other, in memory while they are few."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - closed with its owner
        weakref.finalize(self, self._file.close)
        self.size = 0
        self._added = bytearray()  # not in the file yet
        self._part, self._first = b"", 0  # what was read last, and where it begins

    def add(self, data: bytes) -> int:
        """Where *data* begin, now that they are added."""
        start = self.size
        self._added += data
        self.size += len(data)
        if len(self._added) >= PART:
            self._write()
        return start

    def _write(self) -> None:
        self._file.seek(self.size - len(self._added))
        self._file.write(self._added)
        self._added = bytearray()

    def read(self, start: int, size: int) -> bytes:
        """The *size* bytes from *start* on; what follows them is read as well: it comes next."""
        at = start - self._first
        if at < 0 or at + size > len(self._part):
            if self._added:
                self._write()
            self._file.seek(start)
            self._part, self._first, at = self._file.read(max(size, PART)), start, 0
        return self._part[at : at + size]


class SpooledBytes:
    """Bytes in a *spool*, read when they are asked for."""

    __slots__ = ("size", "spool", "start")

    def __init__(self, spool: Spool, start: int, size: int) -> None:
        self.spool, self.start, self.size = spool, start, size

    def __bytes__(self) -> bytes:
        return self.spool.read(self.start, self.size)


def _plain(kind: type, *but: str) -> "attrgetter[tuple[Any, ...]]":
    """All fields of a *kind* of facts, without those that are stored apart."""
    return attrgetter(*(field.name for field in fields(kind) if field.name not in but))


_PHOTO, _LABEL, _TROUBLE = _plain(ImageFacts, "thumbnail"), _plain(MaskFacts), _plain(Trouble)
_SIGNALS = _plain(Signals, "hue", "light", "position")


def _path(text: str | None, _: Spool) -> Path | None:
    return None if text is None else Path(text)


def _photo(data: bytes | None, spool: Spool) -> ImageFacts | None:
    if data is None:
        return None
    parts = marshal.loads(data)
    return ImageFacts(*(*parts[:-1], SpooledBytes(spool, *parts[-1])))


def _label(data: bytes | None, _: Spool) -> MaskFacts | None:
    return None if data is None else MaskFacts(*marshal.loads(data))


def _signals(data: bytes | None, spool: Spool) -> Signals | None:
    if data is None:
        return None
    parts = marshal.loads(data)
    cells = (Cells(SpooledBytes(spool, *part)) for part in parts[-3:])
    return Signals(*(*parts[:-3], *cells))


def _trouble(parts: Any, _: Spool) -> Trouble | None:
    return None if parts is None else Trouble(*parts)


_READ: Mapping[str, Callable[[Any, Spool], Any]] = {
    "stem": lambda stem, _: stem,
    "image": _path,
    "mask": _path,
    "photo": _photo,
    "label": _label,
    "signals": _signals,
    "image_trouble": _trouble,
    "mask_trouble": _trouble,
    "rivals": lambda paths, _: tuple(map(Path, paths)),
}
_NUMBERS = {name: number for number, name in enumerate(_READ)}


class StoredPair(Pair):
    """A sample, each of whose fields is made of its *parts* when it is asked for: a slot that was
    never set calls ``__getattr__``.
    """

    __slots__ = ("_parts", "_spool")
    _parts: tuple[Any, ...]
    _spool: Spool

    def __init__(self, parts: tuple[Any, ...], spool: Spool) -> None:
        object.__setattr__(self, "_parts", parts)
        object.__setattr__(self, "_spool", spool)

    @property
    def labeled(self) -> bool:
        """Whether the mask could be read; nothing is made of its parts."""
        return self._parts[_NUMBERS["label"]] is not None

    @property
    def complete(self) -> bool:
        """Whether image and mask could be read."""
        return self.labeled and self._parts[_NUMBERS["photo"]] is not None

    def __reduce__(self) -> tuple[Any, ...]:
        return Pair, tuple(getattr(self, name) for name in _READ)

    def __getattr__(self, name: str) -> Any:
        if name not in _READ:
            raise AttributeError(name)
        value = _READ[name](self._parts[_NUMBERS[name]], self._spool)
        object.__setattr__(self, name, value)
        return value


def room(count: int) -> "list[Pair] | StoredPairs":
    """What *count* samples can be appended to."""
    return [] if count <= HELD else StoredPairs()


class StoredPairs(LazySequence[Pair]):
    """Samples in the order in which they were added: their facts in a file, their stems packed, and
    eight bytes each; twelve more where some were changed.
    """

    def __init__(self) -> None:
        self.stems = PackedNames()
        self._facts, self._runs = Spool(), Spool()
        self._starts = array("Q", [0])
        self._changed, self._places, self._sizes = Spool(), array("Q"), array("I")

    def append(self, pair: Pair) -> None:
        """Add a sample."""
        self.stems.append(pair.stem)
        self._facts.add(self._packed(pair))
        self._starts.append(self._facts.size)

    def _packed(self, pair: Pair) -> bytes:
        """The facts of *pair*: most rules look at one kind of them, so each is stored by itself."""
        parts: tuple[Any, ...] = (
            pair.stem,
            pair.image and str(pair.image),
            pair.mask and str(pair.mask),
            pair.photo and self._stored(_PHOTO(pair.photo), pair.photo.thumbnail),
            pair.label and marshal.dumps(_mask_parts(pair.label)),
            pair.signals and self._stored(_SIGNALS(pair.signals), *_cells(pair.signals)),
            pair.image_trouble and _TROUBLE(pair.image_trouble),
            pair.mask_trouble and _TROUBLE(pair.mask_trouble),
            tuple(map(str, pair.rivals)),
        )
        return marshal.dumps(parts)

    def __setitem__(self, number: int, pair: Pair) -> None:
        missing = len(self) - len(self._sizes)
        self._places.frombytes(bytes(8 * missing))
        self._sizes.frombytes(bytes(4 * missing))
        data = self._packed(pair)
        self._places[number], self._sizes[number] = self._changed.add(data), len(data)

    def _again(self, number: int) -> StoredPair | None:
        """The sample of this *number* as it was changed, if it was."""
        if number >= len(self._sizes) or not self._sizes[number]:
            return None
        data = self._changed.read(self._places[number], self._sizes[number])
        return StoredPair(marshal.loads(data), self._runs)

    def __len__(self) -> int:
        return len(self._starts) - 1

    def _value(self, number: int) -> Pair:
        if changed := self._again(number):
            return changed
        start, end = self._starts[number : number + 2]
        return StoredPair(marshal.loads(self._facts.read(start, end - start)), self._runs)

    def __iter__(self) -> Iterator[Pair]:
        for first in range(0, len(self), BLOCK):
            starts = self._starts[first : first + BLOCK + 1]
            data = memoryview(self._facts.read(starts[0], starts[-1] - starts[0]))
            for number, (start, end) in enumerate(pairwise(starts), first):
                if changed := self._again(number):
                    yield changed
                else:
                    parts = marshal.loads(data[start - starts[0] : end - starts[0]])
                    yield StoredPair(parts, self._runs)

    def _stored(self, parts: tuple[Any, ...], *runs: Any) -> bytes:
        """*parts*, and where *runs* of bytes, which few rules read, begin and how long they are."""
        return marshal.dumps((*parts, *map(self._place, runs)))

    def _place(self, run: SupportsBytes) -> tuple[int, int]:
        """Where *run* is stored, and how long it is; that of a changed sample is stored already."""
        if isinstance(run, SpooledBytes) and run.spool is self._runs:
            return run.start, run.size
        data = bytes(run)
        return self._runs.add(data), len(data)


def _cells(signals: Signals) -> tuple[SupportsBytes, ...]:
    return signals.hue.packed, signals.light.packed, signals.position.packed


def _mask_parts(label: MaskFacts) -> tuple[Any, ...]:
    """All fields of *label*, its mappings as what can be stored."""
    return tuple(dict(part) if isinstance(part, Mapping) else part for part in _LABEL(label))
