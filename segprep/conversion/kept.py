"""Which earlier records still hold: by the index where it knows the files, else by digests."""

import time
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from segprep import engine
from segprep.conversion import file_states
from segprep.conversion.file_states import UNKNOWN, Index
from segprep.conversion.sample_files import SampleTask, Unchanged
from segprep.dataset.manifest import Manifest
from segprep.dataset.record_file import RecordFile
from segprep.errors import TreeError
from segprep.types import Progress, Record, Scan


@dataclass(frozen=True, slots=True)
class Plan:
    """Whose work this is, and what earlier work can be used again: *previous* stem -> Record."""

    identity: Mapping[str, Any]
    previous: Mapping[str, Record]
    old: Manifest | None
    resumed: bool
    replace: bool
    began: int = field(default_factory=time.time_ns)

    def close(self) -> None:
        """Close the file of the previous records, if it is open."""
        if isinstance(self.previous, RecordFile):
            self.previous.close()


@dataclass(frozen=True, slots=True)
class Kept(Mapping[str, Record]):
    """The *stems* of *previous* records that still hold."""

    previous: Mapping[str, Record]
    stems: dict[str, None]

    def __getitem__(self, stem: str) -> Record:
        if stem not in self.stems:
            raise KeyError(stem)
        return self.previous[stem]

    def __contains__(self, stem: object) -> bool:
        return stem in self.stems

    def __iter__(self) -> Iterator[str]:
        return iter(self.stems)

    def __len__(self) -> int:
        return len(self.stems)


def kept_records(
    task: SampleTask,
    scan: Scan,
    plan: Plan,
    jobs: int,
    progress: Progress[Any],
    *,
    verify: bool,
) -> Kept:
    """The earlier Records that still hold: same item, same inputs, outputs untouched.

    Raises TreeError for an output changed by hand.
    """
    believed = _believed(task, scan, plan, verify=verify)
    pairs = [
        (item, plan.previous[item.stem])
        for item in scan.items
        if item.stem in plan.previous and item.stem not in believed
    ]
    states = (
        progress(
            engine.run(Unchanged(task, plan.replace), pairs, jobs=jobs, chunk=32),
            len(pairs),
            "comparing",
        )
        if pairs
        else ()
    )
    kept = Kept(plan.previous, dict.fromkeys(believed))
    for (item, _), state in zip(pairs, states, strict=True):
        if isinstance(state, engine.Failure):
            raise TreeError(state.code, f"{state.path}: {state.reason}", state.hint)
        if state == "changed-by-hand":
            raise TreeError(
                "output-changed",
                f"a file of sample {item.stem} in {task.out} was changed after segprep wrote it",
                "move it away if you need it, then give --overwrite",
            )
        if state == "kept":
            kept.stems[item.stem] = None
    if len(kept) > len(believed):
        _remember(task, plan, kept)
    return kept


def _believed(task: SampleTask, scan: Scan, plan: Plan, *, verify: bool) -> set[str]:
    """The samples whose files are, by the index, as they were when they were last hashed; none
    where all are to be read (*verify*).
    """
    previous, stems = plan.previous, set[str]()
    if verify or not isinstance(previous, RecordFile) or plan.old is None:
        return stems
    index = file_states.load(task)
    numbers = index.numbers
    if index.records != plan.old.records or len(numbers) != len(previous):
        return stems
    now = time.time_ns()
    for item in scan.items:
        recorded = numbers[previous.number(item.stem)] if item.stem in previous else UNKNOWN
        if recorded == UNKNOWN:
            continue
        record = previous.plain(item.stem)
        seen = file_states.signature(task, record, written=now, read=now)
        if seen == recorded and record["item"] == task.fingerprint(item):
            stems.add(item.stem)
    return stems


def _remember(task: SampleTask, plan: Plan, kept: Kept) -> None:
    """Write the index of a tree whose samples were just hashed."""
    previous = plan.previous
    if not task.write or not isinstance(previous, RecordFile) or plan.old is None:
        return
    before = plan.began - file_states.RACY
    numbers = array("Q", bytes(8 * len(previous)))
    for stem in kept:
        plain = previous.plain(stem)
        number = file_states.signature(task, plain, written=before, read=before)
        numbers[previous.number(stem)] = number
    file_states.save(task, Index(plan.old.records, numbers))
