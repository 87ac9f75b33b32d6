"""What comes back from a worker that converted an item."""

from dataclasses import dataclass, field
from pathlib import Path

from segprep.conversion.sample_files import SampleTask
from segprep.conversion.signatures import Signed, Signer
from segprep.dataset import manifest
from segprep.files import states
from segprep.types import Item, Record


@dataclass(slots=True)
class WrittenSample:
    """The record of a sample that *task* wrote in a run that *began* then (nanoseconds), its line
    in records.jsonl, the key of the states of its files, and what the index keeps of them. The
    process that hands out the work is spared making them.
    """

    task: SampleTask
    began: int
    _signer: Signer = field(init=False)

    def __post_init__(self) -> None:
        self._signer = Signer(self.task, began=self.began)

    @property
    def out(self) -> Path:
        """The tree that is written."""
        return self.task.out

    def __call__(self, item: Item) -> tuple[Record, bytes, int, Signed]:
        """Read *item* and stage its files. Raises SourceError."""
        done = self.task.written(item)
        key = states.written_key(done.outputs) if done.outputs else states.UNKNOWN
        return done.record, manifest.dump_record(done.record), key, self._signer.written(item, done)
