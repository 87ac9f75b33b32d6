"""Which earlier records still hold: by the index where it knows the files, else by digests."""

import time
from array import array
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from segprep import engine
from segprep.conversion import file_states
from segprep.conversion.file_states import Index, Signatures
from segprep.conversion.run_notes import RunNotes
from segprep.conversion.sample_files import SampleTask, Unchanged
from segprep.conversion.signatures import Signer
from segprep.dataset.journal import Journal
from segprep.dataset.journal_records import JournalRecords
from segprep.dataset.manifest import Manifest
from segprep.dataset.record_file import RecordFile
from segprep.dataset.totals import Totals
from segprep.dataset.tree import IMAGES
from segprep.errors import TreeError
from segprep.files import facts
from segprep.files.states import UNKNOWN
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
        if isinstance(self.previous, RecordFile | JournalRecords):
            self.previous.close()


@dataclass(slots=True)
class Kept(Mapping[str, Record]):
    """The *stems* of *previous* records that still hold. Of records in a file: which lines do; the
    *signatures* of their files by line, none at all where the index has none; the *totals* of all
    lines, None where they are not known. *others*: the numbers of the items that were not kept.
    """

    previous: Mapping[str, Record]
    stems: PackedNames = field(default_factory=PackedNames)
    held: bytearray = field(default_factory=bytearray)
    signatures: Signatures = field(default_factory=Signatures)
    totals: Totals | None = None
    others: "array[int]" = field(default_factory=partial(array, "I"))

    def add(self, stem: str, line: int) -> None:
        """Keep the record of *stem*, the one of this *line* where records are in a file."""
        self.stems.append(stem)
        if self.held:
            self.held[line] = 1

    def dropped(self) -> Iterator[str]:
        """The stems of the previous records that are not kept."""
        if isinstance(self.previous, RecordFile) and self.held:
            return (self.previous.stems[number] for number in _zeros(self.held))
        return (stem for stem in self.previous if stem not in self.stems)

    def carry(self, lines: Journal, account: RunNotes, *, told: bool) -> None:
        """Take the records over into *lines*, and add them up in *account*; their notes are those
        of an earlier run unless *told*.
        """
        previous = self.previous
        if told or self.totals is None or not isinstance(previous, RecordFile):
            for stem in self.stems:
                if isinstance(previous, RecordFile):
                    record, line = previous.with_line(stem)
                    lines.add(record, line)
                else:
                    record = previous[stem]
                    lines.add(record)
                account.add(record, told=told)
            return
        account.totals = deepcopy(self.totals)
        for number, stem in enumerate(previous.stems):
            if not self.held[number]:
                account.totals.add(previous.written(number), -1)
                continue
            signed = self.signatures.signed(number)
            if signed.layout:
                lines.keep(stem, number, signed.layout.suffix, signed.layout.objects)
                account.add_stem(stem, *signed.pictures or ())
            else:
                record = previous.written(number)
                suffix = record.image.removeprefix(f"{IMAGES}/{stem}")
                lines.keep(stem, number, suffix, record.objects is not None)
                account.add_counted(record)

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


def _zeros(flags: bytearray) -> Iterator[int]:
    """The places in *flags* that are not set."""
    at = flags.find(0)
    while at >= 0:
        yield at
        at = flags.find(0, at + 1)


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
    again = array("I", (n for n in kept.others if every.stems[n] in plan.previous))
    items = every.chosen(again)
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
    still = set[int]()
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
            stem = items.stems[number]
            file = plan.previous if isinstance(plan.previous, RecordFile) else None
            kept.add(stem, file.number(stem) if file else -1)
            still.add(again[number])
    if still:
        kept.others = array("I", (n for n in kept.others if n not in still))
        _remember(task, plan, kept, every)
    return kept


def _believed(task: SampleTask, scan: Scan, plan: Plan, *, verify: bool) -> Kept:
    """The samples whose files are, by the index, as they were when they were last hashed; none
    where all are to be read (*verify*).
    """
    previous, items = plan.previous, PackedItems.of(scan.items)
    kept = Kept(previous, others=array("I", range(len(items))))
    if not isinstance(previous, RecordFile) or plan.old is None:
        return kept
    kept.held = bytearray(len(previous))
    index = file_states.load(task)
    if index.records != plan.old.records or len(index.signatures) != len(previous):
        return kept
    kept.totals = index.totals
    if verify:
        return kept
    kept.signatures, kept.others, now = index.signatures, array("I"), time.time_ns()
    numbers = kept.signatures.numbers
    signer = Signer(task, items, began=now)
    for number, stem in enumerate(items.stems):
        line = previous.number(stem)
        if line < 0 or numbers[line] == UNKNOWN:
            kept.others.append(number)
            continue
        if layout := kept.signatures.layout(line):
            same = signer.of_item(number, layout) == numbers[line]
        else:
            record = previous.written(line)
            same = signer.of_record(record) == numbers[line]
            same = same and record.item == task.fingerprint(items[number])
        if same:
            kept.add(stem, line)
        else:
            kept.others.append(number)
            numbers[line] = UNKNOWN
    return kept


def _remember(task: SampleTask, plan: Plan, kept: Kept, items: PackedItems) -> None:
    """Write the index of a tree some of whose samples were just hashed."""
    previous = plan.previous
    if not task.write or not isinstance(previous, RecordFile) or plan.old is None:
        return
    kept.signatures = kept.signatures or Signatures.unknown(len(previous))
    signer = Signer(task, items, began=plan.began)
    for stem in kept:
        number = previous.number(stem)
        if kept.signatures.numbers[number] == UNKNOWN:
            record = previous.written(number)
            files = signer.files(record.digests)
            signed = signer.signed(items.stems.find(stem), record, files, plan.began)
            kept.signatures.put(number, signed)
    index = Index(plan.old.records, kept.signatures, kept.totals, facts=facts.learned())
    file_states.save(task, index)
