"""What comes back from a worker that converted an item."""

from dataclasses import dataclass
from pathlib import Path

from segprep.conversion.sample_files import SampleTask
from segprep.dataset import manifest
from segprep.types import Item, Record


@dataclass(frozen=True, slots=True)
class WrittenSample:
    """The record of a sample that *task* wrote, its line in records.jsonl (the process that hands
    out the work is spared making it), and the key of the states of its files.
    """

    task: SampleTask

    @property
    def out(self) -> Path:
        """The tree that is written."""
        return self.task.out

    def __call__(self, item: Item) -> tuple[Record, bytes, int]:
        """Read *item* and stage its files. Raises SourceError."""
        record, key = self.task.written(item)
        return record, manifest.dump_record(record), key
