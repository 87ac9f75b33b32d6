"""Which earlier records still hold: by the index where it knows the files, else by digests."""

import time
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from segprep import engine
from segprep.conversion import file_states
from segprep.conversion.file_states import Index, Signatures
from segprep.conversion.sample_files import SampleTask, Unchanged
from segprep.conversion.signatures import UNKNOWN, Signer
from segprep.dataset.manifest import Manifest
from segprep.dataset.record_file import RecordFile
from segprep.errors import TreeError
from segprep.files import facts
from segprep.packed import LazySequence, PackedNames
from segprep.packed_items import PackedItems
from segprep.types import Item, Progress, Record, Scan


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


@dataclass(slots=True)
class Kept(Mapping[str, Record]):
    """The *stems* of *previous* records that still hold; *signatures* of their files by line of
    records.jsonl, none at all where the index has none.
    """

    previous: Mapping[str, Record]
    stems: PackedNames
    signatures: Signatures

    def line(self, stem: str) -> int:
        """The line of records.jsonl that *stem* had; -1 where it is not kept, or nothing is known
        of it.
        """
        previous = self.previous
        if not self.signatures or not isinstance(previous, RecordFile) or stem not in self.stems:
            return -1
        return previous.number(stem)

    def lines(self) -> Iterator[tuple[Record, bytes | None]]:
        """The records, and the lines that hold them already."""
        for stem in self.stems:
            if isinstance(self.previous, RecordFile):
                yield self.previous.with_line(stem)
            else:
                yield self.previous[stem], None

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


@dataclass(frozen=True, slots=True)
class ItemRecords(LazySequence[tuple[Item, Record]]):
    """*items* with their *previous* records, each parsed when it is asked for."""

    items: PackedItems
    previous: Mapping[str, Record]

    def __len__(self) -> int:
        return len(self.items)

    def _value(self, number: int) -> tuple[Item, Record]:
        item = self.items[number]
        return item, self.previous[item.stem]


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
    kept = _believed(task, scan, plan, verify=verify)
    every = PackedItems.of(scan.items)
    items = every.chosen(
        array(
            "I",
            (n for n, stem in enumerate(every.stems) if stem in plan.previous and stem not in kept),
        )
    )
    states = (
        progress(
            engine.run(
                Unchanged(task, plan.replace),
                ItemRecords(items, plan.previous),
                jobs=jobs,
                chunk=32,
            ),
            len(items),
            "comparing",
        )
        if items
        else ()
    )
    still = array("I")
    for number, state in enumerate(states):
        if isinstance(state, engine.Failure):
            raise TreeError(state.code, f"{state.path}: {state.reason}", state.hint)
        if state == "changed-by-hand":
            raise TreeError(
                "output-changed",
                f"a file of sample {items.stems[number]} in {task.out} was changed after segprep"
                " wrote it",
                "move it away if you need it, then give --overwrite",
            )
        if state == "kept":
            still.append(number)
    for number in still:
        kept.stems.append(items.stems[number])
    if still:
        _remember(task, plan, kept, every)
    return kept


def _believed(task: SampleTask, scan: Scan, plan: Plan, *, verify: bool) -> Kept:
    """The samples whose files are, by the index, as they were when they were last hashed; none
    where all are to be read (*verify*).
    """
    previous, kept = plan.previous, Kept(plan.previous, PackedNames(), Signatures())
    if verify or not isinstance(previous, RecordFile) or plan.old is None:
        return kept
    index = file_states.load(task)
    if index.records != plan.old.records or len(index.signatures) != len(previous):
        return kept
    kept.signatures, now = index.signatures, time.time_ns()
    items, numbers = PackedItems.of(scan.items), kept.signatures.numbers
    signer = Signer(task, items, written=now, read=now)
    for number, stem in enumerate(items.stems):
        line = previous.number(stem)
        if line < 0 or numbers[line] == UNKNOWN:
            continue
        if layout := kept.signatures.layout(line):
            same = signer.of_item(number, layout) == numbers[line]
        else:
            record = previous.plain(stem)
            same = signer.of_record(record) == numbers[line]
            same = same and record["item"] == task.fingerprint(items[number])
        if same:
            kept.stems.append(stem)
        else:
            numbers[line] = UNKNOWN
    return kept


def _remember(task: SampleTask, plan: Plan, kept: Kept, items: PackedItems) -> None:
    """Write the index of a tree some of whose samples were just hashed."""
    previous = plan.previous
    if not task.write or not isinstance(previous, RecordFile) or plan.old is None:
        return
    kept.signatures = kept.signatures or Signatures.unknown(len(previous))
    signer = Signer(task, items, written=plan.began, read=plan.began)
    for stem in kept:
        number = previous.number(stem)
        if kept.signatures.numbers[number] == UNKNOWN:
            signed = signer.signed(items.stems.find(stem), previous.plain(stem))
            kept.signatures.put(number, *signed)
    file_states.save(task, Index(plan.old.records, kept.signatures, facts=facts.learned()))
