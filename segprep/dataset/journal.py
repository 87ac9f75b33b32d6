"""The journal of a run: the records that are finished, one line each, on disk."""

import os
from array import array
from collections.abc import Iterator, Mapping
from pathlib import Path

from blake3 import blake3

from segprep.dataset import manifest
from segprep.dataset.manifest import RECORDS
from segprep.dataset.tree import IMAGES, MASKS, OBJECTS
from segprep.files import write_error
from segprep.packed import PackedNames
from segprep.types import Record


class Journal(Mapping[str, bytes]):
    """The lines of finished Records by stem, kept on disk: memory does not grow with them. What
    files they name is remembered. They are listed in the order of their stems.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / "journal.jsonl"
        self._file = open(path, "ab")  # noqa: SIM115
        self._lines = open(path, "rb")  # noqa: SIM115 - a file of both kinds seeks after each line
        self._end = self._file.seek(0, os.SEEK_END)
        self._stems = PackedNames()
        self._places = array("Q")  # where the line begins, and its kind in the low byte
        self._kinds: list[tuple[str, bool]] = []  # the image's extension; are there objects

    def add(self, record: Record, line: bytes | None = None) -> None:
        """Write down *record*, as *line* where there is one already. Raises SegprepError where the
        system refuses.
        """
        fresh = line is None
        line = line or manifest.dump_record(record)
        kind = (record.image.removeprefix(f"{IMAGES}/{record.stem}"), record.objects is not None)
        if kind not in self._kinds:
            self._kinds.append(kind)
        try:
            self._file.write(line)
            if fresh:  # an earlier line need not outlive this run: its record is kept elsewhere
                self._file.flush()
        except OSError as error:
            raise write_error(Path(self._file.name), error) from error
        self._stems.append(record.stem)
        self._places.append(self._end << 8 | self._kinds.index(kind))
        self._end += len(line)

    def files(self, stem: str) -> list[str]:
        """The files of the sample *stem*, relative to the tree; none where it is not listed."""
        if (number := self._stems.find(stem)) < 0:
            return []
        suffix, objects = self._kinds[self._places[number] & 255]
        names = [f"{IMAGES}/{stem}{suffix}", f"{MASKS}/{stem}.png"]
        return [*names, f"{OBJECTS}/{stem}.png"] if objects else names

    def lists(self, file: str) -> bool:
        """Whether *file* (relative to the tree) is one of a sample that is listed."""
        folder, _, name = file.partition("/")
        suffixes = {suffix for suffix, _ in self._kinds} if folder == IMAGES else {".png"}
        stems = (name.removesuffix(suffix) for suffix in suffixes if name.endswith(suffix))
        return any(file in self.files(stem) for stem in stems)

    def gathered(self) -> tuple[Path, str]:
        """A staged file of all lines, in the order of their stems, and its digest.

        Raises SegprepError where the system refuses.
        """
        path, checksum = Path(self._file.name).with_name(RECORDS), blake3()
        try:
            self._file.flush()
            path.unlink(missing_ok=True)
            with open(path, "xb") as file:
                for line in self.values():
                    checksum.update(line)
                    file.write(line)
        except OSError as error:
            raise write_error(path, error) from error
        return path, str(checksum.hexdigest(20))

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
        self._file.flush()
        self._lines.seek(self._places[number] >> 8)
        return self._lines.readline()

    def __iter__(self) -> Iterator[str]:
        return self._stems.ordered()

    def __len__(self) -> int:
        return len(self._stems)
