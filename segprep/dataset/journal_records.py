"""Finished records of unfinished work without holding them: where the line of each lies; a record
is parsed when it is asked for.
"""

from array import array
from collections.abc import Iterator, Mapping
from contextlib import suppress
from copy import copy
from itertools import chain
from typing import BinaryIO, cast

from segprep.dataset import manifest
from segprep.dataset.manifest import LONGEST_LINE
from segprep.dataset.record_file import RecordFile
from segprep.dataset.staging import Staging
from segprep.dataset.tree import STAGING
from segprep.errors import SourceError, TreeError
from segprep.files import open_inside
from segprep.packed import PackedNames
from segprep.types import Record

JOURNAL = "journal.jsonl"


class JournalRecords(Mapping[str, Record]):
    """The records in the journal of *staging* by stem, the last one of each, if that is *finished*
    work that can be used; then those that it is :meth:`over`. A torn line is no record.
    """

    def __init__(self, staging: Staging, *, finished: bool) -> None:
        self._staging, self._file = staging, cast("BinaryIO | None", None)
        self._stems, self._starts = PackedNames(), array("Q")
        self._earlier: Mapping[str, Record] = {}
        if finished:
            with suppress(SourceError):  # there is no journal
                self._scan()
        self.close()
        self._count = sum(1 for _ in self)

    def _scan(self) -> None:
        at = 0
        while line := self._line(at):
            with suppress(ValueError):  # the line being written when the run was killed
                self._stems.append(manifest.load_record(line).stem)
                self._starts.append(at)
            at += len(line)

    def over(self, earlier: Mapping[str, Record]) -> "JournalRecords":
        """The same, and the *earlier* records whose stem the journal does not have."""
        both = copy(self)
        both._earlier, both._count = earlier, 0
        both._count = sum(1 for _ in both)
        return both

    def _line(self, start: int) -> bytes:
        """The line that begins at *start*. Raises SourceError."""
        if self._file is None:
            self._file = open_inside(self._staging.root, f"{STAGING}/{JOURNAL}")
        self._file.seek(start)
        return self._file.readline(LONGEST_LINE)

    def _own(self) -> Iterator[str]:
        """The stems of the journal, each once."""
        before = None
        for stem in self._stems.ordered():
            if stem != before:
                yield stem
            before = stem

    def _others(self) -> Iterator[str]:
        return (stem for stem in self._earlier if stem not in self._stems)

    def close(self) -> None:
        """Close the file; it is opened again when it is needed."""
        if self._file is not None:
            self._file.close()
            self._file = None
        if isinstance(self._earlier, RecordFile):
            self._earlier.close()

    def __getitem__(self, stem: str) -> Record:
        if (number := self._stems.find(stem)) < 0:
            return self._earlier[stem]
        try:
            return manifest.written_record(self._line(self._starts[number]))
        except (SourceError, ValueError) as error:
            reason = f"{self._staging.folder / JOURNAL}: was changed while it was read"
            raise TreeError("unfinished-run", reason, "run the command again") from error

    def __contains__(self, stem: object) -> bool:
        return stem in self._stems or stem in self._earlier

    def __iter__(self) -> Iterator[str]:
        return chain(self._own(), self._others())

    def __len__(self) -> int:
        return self._count
