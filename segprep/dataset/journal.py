"""The journal of a run: the records that are finished, one line each, on disk."""

import os
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from segprep.dataset import manifest
from segprep.dataset.manifest import RECORDS
from segprep.dataset.record_file import RecordFile
from segprep.dataset.tree import IMAGES, MASKS, OBJECTS
from segprep.files import path_keys, states, write_error
from segprep.files.path_keys import Keys
from segprep.packed import PackedNames
from segprep.types import Record

_AT_ONCE = 500  # earlier lines that are copied at once
_BLOCK = 1 << 19  # bytes of new ones


class Order(NamedTuple):
    """The lines of a journal: the number of the earlier line that still holds (*before*), or -1;
    how many were noted before (*at*); the key of the states in which the run wrote the sample's
    files (*written*), or UNKNOWN.
    """

    before: NDArray[np.int64]
    at: NDArray[np.int64]
    written: Keys


class Journal(Mapping[str, bytes]):
    """The lines of finished Records by stem, kept on disk: memory does not grow with them. What
    files they name is remembered. They are listed in the order of their stems. Lines that hold
    still stay where they are, among the *earlier* ones.
    """

    def __init__(self, folder: Path, earlier: RecordFile | None = None) -> None:
        path = folder / "journal.jsonl"
        self._file = open(path, "ab")  # noqa: SIM115
        self._lines = open(path, "rb")  # noqa: SIM115 - a file of both kinds seeks after each line
        self._end = self._file.seek(0, os.SEEK_END)
        self._stems, self._earlier = PackedNames(), earlier
        # where the line begins, or its number among the earlier ones, and its kind in the low byte
        self._places, self._written = array("Q"), array("Q")
        # the image's extension; are there objects; is the line an earlier one
        self._kinds: list[tuple[str, bool, bool]] = []

    def add(self, record: Record, line: bytes | None = None, written: int = states.UNKNOWN) -> None:
        """Write down *record*, as *line* where there is one already; *written*: the key of the
        states of its files. Raises SegprepError where the system refuses.
        """
        line = line or manifest.dump_record(record)
        try:
            self._file.write(line)
            self._file.flush()
        except OSError as error:
            raise write_error(Path(self._file.name), error) from error
        suffix = record.image.removeprefix(f"{IMAGES}/{record.stem}")
        self._note(record.stem, self._end, (suffix, record.objects is not None, False), written)
        self._end += len(line)

    def keep(
        self,
        stems: PackedNames,
        numbers: Sequence[int] | NDArray[np.int64],
        suffix: str,
        *,
        objects: bool,
    ) -> None:
        """Note that the earlier lines of these *numbers*, in order, those of *stems* by number,
        hold still; their images end in *suffix*. They need not outlive this run: their records are
        kept elsewhere.
        """
        places = np.asarray(numbers, np.uint64)
        kind = self._kind((suffix, objects, True))
        self._stems.extend(stems, numbers)
        self._places.frombytes((places << np.uint64(8) | np.uint64(kind)).tobytes())
        self._written.frombytes(bytes(places.nbytes))

    def _note(
        self, stem: str, entry: int, kind: tuple[str, bool, bool], written: int = states.UNKNOWN
    ) -> None:
        self._stems.append(stem)
        self._places.append(entry << 8 | self._kind(kind))
        self._written.append(written)

    def _kind(self, kind: tuple[str, bool, bool]) -> int:
        if kind not in self._kinds:
            self._kinds.append(kind)
        return self._kinds.index(kind)

    def order(self) -> Order:
        """Where all lines come from, in the order of their stems."""
        at = np.asarray(self._stems.in_order(), np.int64)
        places = np.frombuffer(self._places, np.uint64)[at]
        earlier = np.array([*(kind[2] for kind in self._kinds), False])[places & np.uint64(255)]
        before = np.where(earlier, (places >> np.uint64(8)).astype(np.int64), -1)
        return Order(before, at, np.frombuffer(self._written, np.uint64)[at])

    def stem_keys(self) -> Keys:
        """The keys of all stems in their order, see :func:`path_keys.keys_of`."""
        return path_keys.keys_of(self._stems)[np.asarray(self._stems.in_order(), np.int64)]

    def numbers_of(self, files: Iterable[str]) -> list[int]:
        """How many samples were noted before each of those whose *files* these are."""
        return [number for file in files if (number := self._number(file)) >= 0]

    def count_files(self, numbers: NDArray[np.int64]) -> int:
        """How many files the samples have before which so many were noted."""
        kinds = (np.frombuffer(self._places, np.uint64)[numbers] & np.uint64(255)).astype(np.int64)
        each = np.array([*(2 + kind[1] for kind in self._kinds), 0])
        return int(each[kinds].sum())

    def files(self, stem: str) -> list[str]:
        """The files of the sample *stem*, relative to the tree; none where it is not listed."""
        if (number := self._stems.find(stem)) < 0:
            return []
        suffix, objects, _ = self._kinds[self._places[number] & 255]
        names = [f"{IMAGES}/{stem}{suffix}", f"{MASKS}/{stem}.png"]
        return [*names, f"{OBJECTS}/{stem}.png"] if objects else names

    def belonging(self, folder: str, names: PackedNames) -> PackedNames:
        """Those of *names* in *folder* of the tree that are files of a sample that is listed."""
        kinds = np.frombuffer(self._places, np.uint64) & np.uint64(255)
        stems, expected = path_keys.keys_of(self._stems), [np.empty(0, np.uint64)]
        for number, (suffix, objects, _) in enumerate(self._kinds):
            if folder != OBJECTS or objects:
                end = suffix if folder == IMAGES else ".png"
                expected.append(path_keys.longer(stems[kinds == number], os.fsencode(end)))
        belong = path_keys.among(path_keys.keys_of(names), np.concatenate(expected))
        if belong.all():
            return names
        chosen = PackedNames()
        chosen.extend(names, np.flatnonzero(belong))
        return chosen

    def _number(self, file: str) -> int:
        """How many samples were noted before that of *file*; -1 where none has it."""
        folder, _, name = file.partition("/")
        for end in {suffix for suffix, _, _ in self._kinds} if folder == IMAGES else {".png"}:
            number = self._stems.find(name.removesuffix(end)) if name.endswith(end) else -1
            if number >= 0:
                suffix, objects, _ = self._kinds[self._places[number] & 255]
                if folder == MASKS or (objects if folder == OBJECTS else suffix == end):
                    return number
        return -1

    def gathered(self) -> tuple[Path, str]:
        """A staged file of all lines, in the order of their stems, and its digest.

        Raises SegprepError where the system refuses.
        """
        path, checksum = Path(self._file.name).with_name(RECORDS), blake3()
        try:
            self._file.flush()
            path.unlink(missing_ok=True)
            with open(path, "xb") as file:
                for lines in self._pieces():
                    checksum.update(lines)
                    file.write(lines)
        except OSError as error:
            raise write_error(path, error) from error
        return path, str(checksum.hexdigest(20))

    def _pieces(self) -> Iterator[bytes]:
        """All lines in the order of their stems, those that follow each other at once."""
        order = self.order()
        starts, earlier = order.before, order.before >= 0
        ends = starts + 1
        fresh = np.flatnonzero(~earlier)
        if len(fresh):
            places = (np.frombuffer(self._places, np.uint64) >> np.uint64(8)).astype(np.int64)
            noted = np.sort(order.at[fresh])  # one after the other, there
            after = np.append(places[noted[1:]], self._end)
            starts[fresh] = places[order.at[fresh]]
            ends[fresh] = after[np.searchsorted(noted, order.at[fresh])]
        apart = (starts[1:] != ends[:-1]) | (earlier[1:] != earlier[:-1])
        firsts = np.flatnonzero(np.concatenate((np.ones(min(1, len(starts)), bool), apart)))
        lasts = np.append(firsts[1:], len(starts)) - 1
        for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True):
            most = _AT_ONCE if earlier[first] else _BLOCK
            read = self._kept if earlier[first] else self._written_down
            for start in range(int(starts[first]), end := int(ends[last]), most):
                yield read(start, min(start + most, end))

    def _kept(self, first: int, end: int) -> bytes:
        return self._earlier.lines(first, end) if self._earlier and first < end else b""

    def _written_down(self, start: int, end: int) -> bytes:
        self._lines.seek(start)
        return self._lines.read(end - start)

    def _line(self, start: int) -> bytes:
        self._file.flush()
        self._lines.seek(start)
        return self._lines.readline()

    def close(self) -> None:
        """Close the file; lines cannot be read any more.

        Raises SegprepError where its last bytes are refused.
        """
        self._lines.close()
        try:
            self._file.close()
        except OSError as error:
            raise write_error(Path(self._file.name), error) from error

    def __getitem__(self, stem: str) -> bytes:
        if (number := self._stems.find(stem)) < 0:
            raise KeyError(stem)
        entry = self._places[number]
        if self._kinds[entry & 255][2]:
            return self._kept(entry >> 8, (entry >> 8) + 1)
        return self._line(entry >> 8)

    def __contains__(self, stem: object) -> bool:
        return stem in self._stems

    def __iter__(self) -> Iterator[str]:
        return self._stems.ordered()

    def __len__(self) -> int:
        return len(self._stems)
