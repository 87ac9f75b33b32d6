"""What an interrupted export had finished: ``journal.jsonl`` in the hidden folder beside it, a line
per sample, and ``parts``, what samples add to common files.

A line counts if the files that the sample was made of are as they were (size and time of change),
and those that it became are whole (their digests). Everything else in the folder is removed.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import FileIO
from itertools import chain
from pathlib import Path
from typing import Any

from segprep import jsontext
from segprep.errors import SourceError
from segprep.exporting.publish import IDENTITY, LINES, PARTS
from segprep.exporting.sample_export import ExportedFiles, state_of
from segprep.files import digest, digest_file, read_plain, write_error, write_staged
from segprep.types import Note
from segprep.writer import Loss, Part

MOST = 4 << 30  # bytes of a journal, or of the parts


@dataclass
class ExportJournal:
    """The journal of the export that is made in *folder*/new as the folder *out*; *sizes* of the
    files that samples are appended to,
    its own open *files* by name.
    """

    folder: Path
    out: Path
    sizes: dict[str, int] = field(default_factory=dict)
    files: dict[str, FileIO] = field(default_factory=dict)

    def close(self) -> None:
        """Close the journal's files; they are opened again when something is added."""
        while self.files:
            self.files.popitem()[1].close()

    def begin(self, identity: Mapping[str, Any], stems: Sequence[str]) -> dict[str, ExportedFiles]:
        """What an interrupted run with the same *identity* (options, classes, lists …) finished of
        *stems*, by stem; what else it left is removed. Raises SegprepError.
        """
        told = jsontext.encoded(identity)
        kept: dict[str, ExportedFiles] = {}
        try:
            same = read_plain(self.folder / IDENTITY) == told
        except OSError:
            same = False
        if same:
            kept = {files.stem: files for files in self._intact(stems)}
        self._sweep(kept)
        parts = b"".join(part.content for files in kept.values() for part in files.parts)
        write_staged(self.folder / PARTS, parts)
        write_staged(self.folder / LINES, b"")
        write_staged(self.folder / IDENTITY, told)
        self.sizes.clear()
        self.close()
        for files in kept.values():
            self._line(files)
        return kept

    def add(self, files: ExportedFiles) -> None:
        """Keep what one more sample became; its files are written. Raises SegprepError."""
        content = b"".join(part.content for part in files.parts)
        if content:
            self._append(PARTS, content)
        self._line(files)

    def _line(self, files: ExportedFiles) -> None:
        appended = []
        for name, length, mark in files.appended_marks:
            appended.append((name, self.sizes.get(name, 0), length, mark))
            self.sizes[name] = self.sizes.get(name, 0) + length
        line = {
            "stem": files.stem,
            "inputs": files.inputs,
            "names": files.names,
            "written": files.written,
            "digests": files.digests,
            "appended": appended,
            "parts": [(part.name, len(part.content)) for part in files.parts],
            "losses": [(loss.what, loss.count) for loss in files.losses],
            "notes": [(note.code, note.message, note.stem) for note in files.notes],
        }
        self._append(LINES, jsontext.encoded(line, compact=True))

    def _append(self, name: str, data: bytes) -> None:
        try:
            if name not in self.files:
                self.files[name] = FileIO(self.folder / name, "ab")
            rest = memoryview(data)
            while rest:
                rest = rest[self.files[name].write(rest) :]
        except OSError as error:
            raise write_error(self.folder / name, error) from error

    def _intact(self, stems: Sequence[str]) -> Iterator[ExportedFiles]:
        """The samples of the journal that can be kept, in order. Appended ones only while nothing
        is missing before them.
        """
        try:
            lines = read_plain(self.folder / LINES, MOST).split(b"\n")[:-1]
            parts = read_plain(self.folder / PARTS, MOST)
        except OSError:
            return
        at, order = 0, iter(stems)
        for text in lines:
            try:
                line = json.loads(text)
                length = sum(size for _, size in line["parts"])
                content, at = parts[at : at + length], at + length
                whole = len(content) == length and self._is_whole(line)
            except (ValueError, KeyError, TypeError):
                return
            if line["appended"] and not (whole and line["stem"] == next(order, None)):
                return
            if whole:
                yield _restored(line, content)

    def _is_whole(self, line: Mapping[str, Any]) -> bool:
        if any(
            state_of(Path(path)) != (None if state is None else tuple(state))
            for path, state in line["inputs"].items()
        ):
            return False
        try:
            marks = [
                digest(self._segment(name, start, length)) == mark
                for name, start, length, mark in line["appended"]
            ]
            marks += [self._digest(name) == mark for name, mark in line["digests"].items()]
        except (OSError, SourceError):
            return False
        return all(marks)

    def _segment(self, name: str, start: int, length: int) -> bytes:
        with open(self.folder / "new" / name, "rb") as file:
            file.seek(start)
            return file.read(length)

    def _digest(self, name: str) -> str:
        path = self.folder / "new" / name
        if path.is_symlink():  # relative to where the export will be
            target = os.path.normpath((self.out / name).parent / os.readlink(path))
            return digest_file(Path(target))
        return digest_file(path)

    def _sweep(self, kept: Mapping[str, ExportedFiles]) -> None:
        """Remove what no kept sample wrote, and what was appended after the last of them."""
        new = self.folder / "new"
        names = set(chain.from_iterable(files.names for files in kept.values()))
        lengths: dict[str, int] = {}
        for files in kept.values():
            for name, length, _ in files.appended_marks:
                lengths[name] = lengths.get(name, 0) + length
        try:
            for folder, _, listed in os.walk(new):
                for name in listed:
                    path = Path(folder, name)
                    inner = path.relative_to(new).as_posix()
                    if inner in lengths and not path.is_symlink():
                        os.truncate(path, lengths[inner])
                    elif inner not in names:
                        path.unlink()
        except OSError as error:
            raise write_error(new, error) from error


def _restored(line: Mapping[str, Any], content: bytes) -> ExportedFiles:
    parts, at = list[Part](), 0
    for name, length in line["parts"]:
        parts.append(Part(name, content[at : at + length]))
        at += length
    return ExportedFiles(
        line["stem"],
        tuple(line["names"]),
        tuple(line["written"]),
        (),
        tuple(parts),
        tuple(Loss(*loss) for loss in line["losses"]),
        tuple(Note(*note) for note in line["notes"]),
        line["digests"],
        {path: None if state is None else tuple(state) for path, state in line["inputs"].items()},
        tuple((name, length, mark) for name, _, length, mark in line["appended"]),
    )
