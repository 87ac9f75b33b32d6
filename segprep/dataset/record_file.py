"""records.jsonl without holding it: where each record's line lies; a record is parsed when it is
asked for.
"""

from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from segprep.dataset import manifest
from segprep.dataset.manifest import LONGEST_LINE, MANIFEST, RESTORE, next_line
from segprep.errors import SourceError, TreeError
from segprep.files import open_inside, path_keys, states
from segprep.packed import LazySequence, PackedNames
from segprep.types import Record

_START, _AFTER = b'{"stem":"', b'","'
_BLOCK = 1 << 18  # bytes that are looked at


class RecordFile(Mapping[str, Record]):
    """The records at *path* by stem, in the file's order; *expected* is the digest that the
    manifest keeps of them.

    Raises TreeError where the digest differs, and for a damaged line, at once or when it is parsed.
    """

    def __init__(self, path: Path, expected: str) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self._starts, self._end = array("Q"), 0
        self.stems = PackedNames()
        try:
            checksum = self._scanned()
        finally:
            self.close()
        if checksum != expected:
            reason = f"{path}: was changed after {MANIFEST} was written"
            raise TreeError("bad-manifest", reason, RESTORE)

    def _scanned(self) -> str:
        """Note where each line begins; the digest of all."""
        checksum, rest = blake3(), b""
        while block := self._read(lambda file: file.read(_BLOCK)):
            checksum.update(block)
            text = rest + block
            end = text.rfind(b"\n") + 1
            rest = text[end:]
            if len(rest) > LONGEST_LINE:
                self._line(self._end)  # which says so
            self._note(text[:end])
        self._note(rest)
        return str(checksum.hexdigest(20))

    def _note(self, text: bytes) -> None:
        """Note the lines of *text*, the next ones."""
        if not text:
            return
        data = np.frombuffer(text, np.uint8)
        ends = np.flatnonzero(data == ord("\n")) + 1
        ends = ends if len(ends) and ends[-1] == len(data) else np.append(ends, len(data))
        starts = np.concatenate((np.zeros(1, np.int64), ends[:-1]))
        if names := _stems(data, starts, ends):
            self.stems.extend(names, range(len(names)))
            self._starts.frombytes((starts + self._end).tobytes())
        else:
            for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
                self.stems.append(self._stem(text[start:end]))
                self._starts.append(self._end + start)
        self._end += len(text)

    def _line(self, start: int) -> bytes:
        """The line that begins at *start*. Raises TreeError."""

        def line(file: BinaryIO) -> bytes:
            file.seek(start)
            return next_line(file)

        return self._read(line)

    def _read(self, read: Callable[[BinaryIO], bytes]) -> bytes:
        """What *read* gives of the file. Raises TreeError."""
        try:
            if self._file is None:
                self._file = open_inside(self._path.parent, self._path.name)
            return read(self._file)
        except (SourceError, ValueError) as error:
            said = error.reason if isinstance(error, SourceError) else str(error)
            reason = f"{self._path}: {said}"
            raise TreeError("bad-manifest", reason, RESTORE) from error
        except OSError as error:
            reason = f"{self._path}: {error.strerror}"
            raise TreeError("bad-manifest", reason, RESTORE) from error

    def _stem(self, line: bytes) -> str:
        end = line.find(_AFTER, len(_START))
        if line.startswith(_START) and end > 0 and b"\\" not in line[:end]:
            try:
                return line[len(_START) : end].decode()
            except UnicodeDecodeError:
                pass
        record: Record = self._parsed(line, manifest.load_record)
        return record.stem

    def _parsed(self, line: bytes, parse: Any) -> Any:
        try:
            return parse(line)
        except (ValueError, RecursionError) as error:
            number = len(self._starts)
            reason = f"{self._path}:{number + 1}: {error}"
            raise TreeError("bad-manifest", reason, RESTORE) from error

    def number(self, stem: str) -> int:
        """Which line *stem* has, from 0; -1 where there is none."""
        return self.stems.find(stem)

    def line(self, stem: str) -> bytes:
        """The line of *stem*. Raises TreeError where it cannot be read."""
        if (number := self.number(stem)) < 0:
            raise KeyError(stem)
        return self._line(self._starts[number])

    def lines(self, first: int, end: int) -> bytes:
        """The lines from number *first* to *end*, as they are. Raises TreeError where they cannot
        be read.
        """
        start = self._starts[first]
        stop = self._starts[end] if end < len(self._starts) else self._end
        text = self._line(start)
        if self._file is not None and len(text) < stop - start:
            text += self._file.read(stop - start - len(text))
        if len(text) != stop - start:
            reason = f"{self._path}: was changed while it was read"
            raise TreeError("bad-manifest", reason, RESTORE)
        return text

    def written(self, number: int) -> Record:
        """The record of one line, not checked again. Raises TreeError."""
        record: Record = self._parsed(self._line(self._starts[number]), manifest.written_record)
        return record

    def with_line(self, stem: str) -> tuple[Record, bytes]:
        """The record of *stem*, not checked again, and its line. Raises TreeError."""
        line = self.line(stem)
        return self._parsed(line, manifest.written_record), line

    def close(self) -> None:
        """Close the file; it is opened again when it is needed."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __getitem__(self, stem: str) -> Record:
        record: Record = self._parsed(self.line(stem), manifest.load_record)
        return record

    def __contains__(self, stem: object) -> bool:
        return stem in self.stems

    def __iter__(self) -> Iterator[str]:
        return iter(self.stems)

    def __len__(self) -> int:
        return len(self.stems)


def _stems(
    data: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> PackedNames | None:
    """The stems of the lines of *data* from *starts* to *ends*; None unless all lines begin as this
    program writes them, with nothing escaped.
    """
    if int((ends - starts).min()) <= len(_START) + len(_AFTER):
        return None
    begin = np.frombuffer(_START, np.uint8)
    if any((data[starts + at] != byte).any() for at, byte in enumerate(begin)):
        return None
    first, quotes = starts + len(_START), np.flatnonzero(data == ord('"'))
    at = np.searchsorted(quotes, first)
    if at[-1] == len(quotes):
        return None
    stops = quotes[at]
    if (stops + len(_AFTER) > ends).any() or any(
        (data[stops + n] != byte).any() for n, byte in enumerate(_AFTER)
    ):
        return None
    escapes = np.flatnonzero(data == ord("\\"))
    if (np.searchsorted(escapes, first) != np.searchsorted(escapes, stops)).any():
        return None
    names = path_keys.gathered(data, first, stops)
    try:
        names.buffers()[0].decode()
    except UnicodeDecodeError:
        return None
    return names


class RecordLines(LazySequence[tuple[int, bytes]]):
    """The lines of the records at *path* with their numbers from 1; eight bytes of memory each.
    *expected* is the digest that the manifest keeps of them.

    Raises TreeError where the digest differs.
    """

    def __init__(self, path: Path, expected: str | None) -> None:
        try:
            self._file = open_inside(path.parent, path.name)
        except SourceError as error:
            raise TreeError("bad-manifest", f"{path}: {error.reason}", RESTORE) from error
        checksum, self._ends = blake3(), array("Q", [0])
        try:
            while line := next_line(self._file):
                checksum.update(line)
                self._ends.append(self._ends[-1] + len(line))
        except ValueError as error:
            self.close()
            raise TreeError("bad-manifest", f"{path}: {error}", RESTORE) from error
        if expected is not None and checksum.hexdigest(20) != expected:
            self.close()
            for _ in manifest.load_records(path, expected):
                pass  # which says at which line, if one is damaged

    def close(self) -> None:
        """Close the file; lines cannot be read any more."""
        self._file.close()

    def __len__(self) -> int:
        return len(self._ends) - 1

    def _value(self, number: int) -> tuple[int, bytes]:
        start, end = self._ends[number], self._ends[number + 1]
        self._file.seek(start)
        return number + 1, self._file.read(end - start)


@dataclass(frozen=True, slots=True)
class KeyedLines(LazySequence[tuple[int, bytes, int]]):
    """*lines* with the *keys* of the states of their files, UNKNOWN where there are none."""

    lines: RecordLines
    keys: "array[int]"

    def __len__(self) -> int:
        return len(self.lines)

    def _value(self, number: int) -> tuple[int, bytes, int]:
        key = self.keys[number] if number < len(self.keys) else states.UNKNOWN
        return *self.lines[number], key


def parsed(path: Path, number: int, line: bytes) -> Record:
    """The record of *line*, the one of this *number* at *path*. Raises TreeError."""
    try:
        return manifest.load_record(line)
    except ValueError as error:
        raise TreeError("bad-manifest", f"{path}:{number}: {error}", RESTORE) from error
