"""Which earlier records still hold: by the index where it knows the files, else by digests."""

import time
from array import array
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from segprep import engine
from segprep.conversion import file_states
from segprep.conversion.bulk_signatures import BulkSigner, Numbers, places_of
from segprep.conversion.file_states import Index, NewSignatures, Signatures
from segprep.conversion.run_notes import RunNotes
from segprep.conversion.sample_files import SampleTask, Unchanged
from segprep.conversion.signatures import Signer
from segprep.conversion.snapshots import Looked
from segprep.dataset.journal import Journal
from segprep.dataset.journal_records import JournalRecords
from segprep.dataset.manifest import Manifest
from segprep.dataset.record_file import RecordFile
from segprep.dataset.totals import Totals
from segprep.dataset.tree import IMAGES
from segprep.errors import TreeError
from segprep.files import facts, path_keys
from segprep.files.path_keys import Keys
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
    """The *previous* records that still hold. Of records in a file: which lines do (*held*); the
    *signatures* of their files by line, none at all where the index has none; the *totals* of all
    lines, None where they are not known. *others*: the numbers of the items that were not kept.
    """

    previous: Mapping[str, Record]
    held: bytearray = field(default_factory=bytearray)
    signatures: Signatures = field(default_factory=Signatures)
    totals: Totals | None = None
    others: "array[int]" = field(default_factory=partial(array, "I"))
    _stems: PackedNames = field(default_factory=PackedNames)  # where records are in no file

    def add(self, stem: str) -> None:
        """Keep the record of *stem*."""
        if isinstance(self.previous, RecordFile):
            self.held[self.previous.number(stem)] = 1
        else:
            self._stems.append(stem)

    def hold(self, lines: Numbers) -> None:
        """Keep the records of these *lines*."""
        np.frombuffer(self.held, np.uint8)[lines] = 1

    def lines(self) -> "array[int]":
        """The lines of the records that are kept."""
        return array("q", np.flatnonzero(np.frombuffer(self.held, np.uint8)).tobytes())

    def dropped(self) -> Iterator[str]:
        """The stems of the previous records that are not kept."""
        if isinstance(self.previous, RecordFile) and self.held:
            return (self.previous.stems[number] for number in _zeros(self.held))
        return (stem for stem in self.previous if stem not in self)

    def carry(self, lines: Journal, account: RunNotes, *, told: bool) -> None:
        """Take the records over into *lines*, and add them up in *account*; their notes are those
        of an earlier run unless *told*.
        """
        previous = self.previous
        if told or self.totals is None or not isinstance(previous, RecordFile):
            for stem in self:
                if isinstance(previous, RecordFile):
                    record, line = previous.with_line(stem)
                    lines.add(record, line)
                else:
                    record = previous[stem]
                    lines.add(record)
                account.add(record, told=told)
            return
        account.totals = deepcopy(self.totals)
        for number in _zeros(self.held):
            account.totals.add(previous.written(number), -1)
        held, layouts = np.frombuffer(self.held, np.uint8) > 0, self.signatures.layouts
        own = (self.signatures or Signatures.unknown(len(held))).columns()
        for kind, layout in enumerate(layouts, 1):
            places = np.flatnonzero(held & (own.kinds == kind))
            lines.keep(previous.stems, places, layout.suffix, objects=layout.objects)
            account.add_stems(previous.stems, places, own.pictures[places])
        for number in np.flatnonzero(held & (own.kinds == 0)).tolist():
            record = previous.written(number)
            suffix = record.image.removeprefix(f"{IMAGES}/{record.stem}")
            lines.keep(previous.stems, [number], suffix, objects=record.objects is not None)
            account.add_counted(record)

    def __getitem__(self, stem: str) -> Record:
        if stem not in self:
            raise KeyError(stem)
        return self.previous[stem]

    def __contains__(self, stem: object) -> bool:
        if isinstance(self.previous, RecordFile):
            number = self.previous.number(stem) if isinstance(stem, str) else -1
            return number >= 0 and bool(self.held[number])
        return stem in self._stems

    def __iter__(self) -> Iterator[str]:
        if isinstance(self.previous, RecordFile):
            return map(self.previous.stems.__getitem__, self.lines())
        return iter(self._stems)

    def __len__(self) -> int:
        return self.held.count(1) if self.held else len(self._stems)


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
    looked: Looked,
    jobs: int,
    progress: Progress[Any],
    *,
    verify: bool,
) -> Kept:
    """The earlier Records that still hold: same item, same inputs, outputs untouched.

    Raises TreeError for an output changed by hand.
    """
    kept = _believed(task, scan, plan, looked, verify=verify)
    every = PackedItems.of(scan.items)
    previous = plan.previous
    again = array("I", (n for n in kept.others if every.stems[n] in previous) if previous else ())
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
            kept.add(items.stems[number])
            still.add(again[number])
    if still:
        kept.others = array("I", (n for n in kept.others if n not in still))
        _remember(task, plan, kept, every, looked)
    return kept


def _believed(task: SampleTask, scan: Scan, plan: Plan, looked: Looked, *, verify: bool) -> Kept:
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
    kept.signatures = index.signatures
    own, stems = index.signatures.columns(), path_keys.keys_of(items.stems)
    lines = places_of(path_keys.keys_of(previous.stems), stems)
    numbers = np.where(lines >= 0, own.numbers[lines], UNKNOWN)
    certain = np.flatnonzero(numbers != UNKNOWN)
    signed = np.zeros(len(items), np.uint64)
    signed[certain] = _signed(task, items, looked, previous, index, certain, lines[certain])
    same = (signed == numbers) & (signed != UNKNOWN)
    own.numbers[lines[certain][~same[certain]]] = UNKNOWN
    kept.hold(lines[same])
    kept.others = array("I", np.flatnonzero(~same).astype(np.uint32).tobytes())
    return kept


def _signed(
    task: SampleTask,
    items: PackedItems,
    looked: Looked,
    previous: RecordFile,
    index: Index,
    numbers: Numbers,
    lines: Numbers,
) -> Keys:
    """The signatures that the items of these *numbers* have now, whose records are *lines*."""
    kinds, layouts = index.signatures.columns().kinds[lines], index.signatures.layouts
    result = np.full(len(numbers), UNKNOWN, np.uint64)
    has = np.flatnonzero(kinds)
    bulk, tree = BulkSigner(task, items, looked.inputs), looked.outputs(task.out)[1]
    outputs = bulk.outputs(items.stems, numbers[has], kinds[has], layouts, tree)
    result[has] = bulk.sign(numbers[has], kinds[has], layouts, outputs)
    signer = Signer(task, began=looked.inputs.moment)
    for at in np.flatnonzero(kinds == 0).tolist():
        record = previous.written(int(lines[at]))
        if record.item == task.fingerprint(items[int(numbers[at])]):
            result[at] = signer.of_record(record)
    return result


def _remember(task: SampleTask, plan: Plan, kept: Kept, items: PackedItems, looked: Looked) -> None:
    """Write the index of a tree some of whose samples were just hashed."""
    previous = plan.previous
    if not task.write or not isinstance(previous, RecordFile) or plan.old is None:
        return
    kept.signatures = kept.signatures or Signatures.unknown(len(previous))
    every = path_keys.keys_of(previous.stems)
    numbers = places_of(path_keys.keys_of(items.stems), every)
    new, signer = NewSignatures.of(kept.signatures), Signer(task, began=plan.began)
    for line in kept.lines():
        if kept.signatures.numbers[line] == UNKNOWN:
            record = previous.written(line)
            files = signer.files(record.digests)
            new.put(line, signer.signed(items[int(numbers[line])], record, files, plan.began))
    signatures = new.made(BulkSigner(task, items, looked.inputs), numbers)
    index = Index(plan.old.records, signatures, kept.totals, facts=facts.learned())
    file_states.save(task, index)
