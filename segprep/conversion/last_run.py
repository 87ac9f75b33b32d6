"""What the last run of a call left, as the index beside its tree keeps it: while no file below its
source and its tree looks different, the same call has nothing to do, and lists and pairs nothing.
"""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from blake3 import blake3

from segprep.conversion import file_states
from segprep.conversion.bulk_signatures import BulkSigner, places_of
from segprep.conversion.file_states import Index, NewSignatures, Signatures
from segprep.conversion.planning import Work
from segprep.conversion.result import Conversion
from segprep.conversion.sample_files import SampleTask
from segprep.conversion.signatures import Signed, Signer
from segprep.conversion.snapshots import Looked, Snapshot, snapshot
from segprep.dataset import manifest
from segprep.dataset.journal import Journal
from segprep.dataset.manifest import RECORDS, next_line
from segprep.dataset.record_file import RecordFile
from segprep.dataset.totals import Totals
from segprep.errors import SourceError
from segprep.files import (
    digest,
    digest_file,
    facts,
    open_inside,
    path_keys,
    real_folders,
    states,
)
from segprep.files.states import UNKNOWN
from segprep.packed_items import PackedItems
from segprep.types import Note, Record, Skipped


@dataclass(frozen=True, slots=True)
class Call:
    """A call (*key*: its format, source, options) with the state of its *inputs* before it read
    anything, when it *began* (nanoseconds), and what its files *looked* like.
    """

    task: SampleTask
    key: str
    inputs: Snapshot
    began: int
    looked: Looked

    def answer(self) -> Conversion | None:
        """What the last run reports again, if nothing looks different since."""
        last = file_states.load(self.task).last_run
        if not last or not self.task.out.is_dir():
            return None
        with suppress(OSError, SourceError, ValueError, KeyError, TypeError, AttributeError):
            outputs = self.looked.outputs(self.task.out)[0]
            if (
                (last["call"], last["inputs"]) == (self.key, self.inputs.digest)
                and outputs
                and last["outputs"] == outputs.digest
                and all(
                    digest_file(self.task.out / name) == expected
                    for name, expected in last["recent"].items()
                )
            ):
                return Conversion(
                    self.task.out,
                    0,
                    last["kept"],
                    (),
                    tuple(Skipped(*entry) for entry in last["skipped"]),
                    tuple(last["classes"]),
                    tuple(Note(*note) for note in last["notes"]),
                    False,
                    tuple(last["unpainted"]),
                )
        return None

    def keep(self, done: Conversion) -> None:
        """Remember *done*, the report of a run that changed nothing, for the next one: unless
        somebody else may have changed the tree meanwhile.
        """
        index, outputs = file_states.load(self.task), None
        with suppress(OSError):
            outputs = snapshot(self.task.out, self.began)
        if index.records and outputs and not outputs.stirred:
            last = self.described(done, outputs, {})
            file_states.save(self.task, replace(index, last_run=last, facts=facts.learned()))

    def described(
        self, done: Conversion, outputs: Snapshot | None, digests: Mapping[str, str]
    ) -> dict[str, Any] | None:
        """What the index keeps of this call, to which *done* is the answer; *digests*: those of
        the recent *outputs*. None where files may have changed since they were read.
        """
        if outputs is None or self.inputs.recent or not digests.keys() >= set(outputs.recent):
            return None
        if done.covered or any(note.covered for note in done.notes):
            return None
        notes = [(note.code, note.message, note.stem) for note in done.notes]
        return {
            "call": self.key,
            "inputs": self.inputs.digest,
            "outputs": outputs.digest,
            "recent": {name: digests[name] for name in outputs.recent},
            "kept": done.kept,
            "skipped": [astuple(entry) for entry in done.skipped],
            "classes": done.classes,
            "notes": notes,
            "unpainted": done.unpainted,
        }


def begun(format: str, task: SampleTask, *, keep_order: bool) -> Call | None:
    """The call that *task* is part of; None where its files cannot be listed, or are unpacked from
    an archive for this run alone.
    """
    if task.archives.unpacked:
        return None
    roots = real_folders(task.root, getattr(task.reader, "image_root", ()))
    now = time.time_ns()
    options = (
        format,
        task.reader,
        task.image_format,
        task.mask_mode,
        task.strip_metadata,
        task.shard,
    )
    key = blake3(repr((options, keep_order, roots)).encode("utf-8", "backslashreplace"))
    try:
        looked, inputs = Looked.at(roots, now)
        for path in _named_files(task.reader):
            state = os.stat(path)
            line = f"{path}\0{states.described(state).decode()}"
            inputs.append(Snapshot(line, () if states.settled(state, now) else (path,)))
    except OSError:
        return None
    joined = digest(
        "\n".join(snapshot.digest for snapshot in inputs).encode("utf-8", "backslashreplace")
    )
    recent = tuple(name for snapshot in inputs for name in snapshot.recent)
    return Call(task, key.hexdigest(20), Snapshot(joined, recent), now, looked)


def _named_files(reader: Any) -> Iterator[str]:
    """The files that options name, wherever they lie."""
    for option in fields(reader):
        if option.name in ("root", "image_root"):
            continue
        for value in _texts(getattr(reader, option.name)):
            pieces = [value, *(part for piece in value.split(",") for part in piece.split("="))]
            for path in dict.fromkeys(pieces):
                if "\0" not in path and os.path.isfile(path):
                    yield os.path.abspath(path)


def _texts(value: Any) -> Sequence[str]:
    if isinstance(value, tuple | list):
        return [text for part in value for text in _texts(part)]
    return [str(value)] if isinstance(value, str | Path) else []


def save_published(
    work: Work,
    lines: Journal,
    written: NewSignatures | None,
    totals: Totals,
    texts: Mapping[str, bytes | Path],
    records: str,
    call: Call | None,
    again: Conversion,
) -> None:
    """Make the index of a tree that was just published with these *texts*, the digest of whose
    *lines* is *records*, and their *totals*; *written*: what is signed of the samples that this run
    wrote, if publishing left their states alone; *again*: the report of the same *call* where
    nothing changes meanwhile.
    """
    task, outputs = work.task, None
    if call or written:
        with suppress(OSError):
            outputs = snapshot(task.out, time.time_ns(), since=work.plan.began)
    told = {name: digest(data) for name, data in texts.items() if isinstance(data, bytes)}
    try:
        published = _published(work, lines, written, outputs)
        now = {name: digest_file(task.out / name) for name in told}
        latest = published.latest + sum(states.latest(os.lstat(task.out / name)) for name in texts)
    except (OSError, SourceError, ValueError, KeyError, TypeError):
        return  # somebody else is writing there
    if published.records != records:
        return
    if outputs and (
        now != told or (outputs.touched, outputs.latest) != (published.written + len(texts), latest)
    ):
        outputs = None  # nor is all that lies there what this run wrote or compared
    digests = {**published.digests, **told, RECORDS: records}
    last = call.described(again, outputs, digests) if call else None
    index = Index(records, published.signatures, totals, last, facts.learned())
    file_states.save(task, index)


@dataclass(frozen=True, slots=True)
class _Published:
    """What a run published: the digest of its *records* as they lie there, the *signatures* of the
    samples, the *digests* of their recent files, and how many files were *written* and are as they
    were written, and the sum of the *latest* times when that was.
    """

    records: str
    signatures: Signatures
    digests: Mapping[str, str]
    written: int
    latest: int


def _published(
    work: Work, lines: Journal, written: NewSignatures | None, outputs: Snapshot | None
) -> _Published:
    """What *work* just published; *written*: what is signed of the samples that it wrote, if it is
    known; *outputs*: the state of the tree, where it could be looked at.
    """
    kept, order = work.kept, lines.order()
    new, left = NewSignatures.unknown(len(lines)), np.ones(len(lines), bool)
    if kept.signatures:
        places = np.flatnonzero(order.before >= 0)
        places = places[kept.signatures.columns().numbers[order.before[places]] != UNKNOWN]
        new.keep(places, kept.signatures, order.before[places])
        left[places] = False
    count = latest = 0
    signed_already = np.zeros(len(lines), bool)
    if written and outputs:
        signed_already = written.signatures.columns().outputs[order.at] != UNKNOWN
        recent = lines.numbers_of(outputs.recent)
        places = np.flatnonzero(left & signed_already & ~np.isin(order.at, recent))
        new.copy(places, written, order.at[places])
        left[places] = False
        count, latest = lines.count_files(order.at[places]), written.latest
    looked = _LookedAt(work, set(outputs.recent if outputs else ()))
    for number, line in _lines(work.task.out / RECORDS, np.flatnonzero(left).tolist()):
        signed, files = looked.at(manifest.written_record(line), int(order.written[number]))
        new.put(number, signed)
        count += len(files)
        latest += 0 if signed_already[number] else sum(map(states.latest, files))
    items = PackedItems.of(work.scan.items)
    signer = BulkSigner(work.task, items, work.looked.inputs)
    numbers = places_of(path_keys.keys_of(items.stems), lines.stem_keys())
    signatures = new.made(signer, numbers)
    checksum = digest_file(work.task.out / RECORDS)
    return _Published(checksum, signatures, looked.digests, count, latest)


@dataclass(slots=True)
class _LookedAt:
    """Looks at the files of single samples that *work* published; the *digests* of those that are
    *recent*.
    """

    work: Work
    recent: set[str]
    digests: dict[str, str] = field(default_factory=dict)

    def at(self, record: Record, key: int) -> tuple[Signed, Sequence[os.stat_result]]:
        """What is signed of the sample of *record*; its files if they are in the states that they
        were written in, those of this *key*, UNKNOWN if this run did not write them.
        """
        self.digests |= {
            name: record.digests[name] for name in self.recent.intersection(record.digests)
        }
        began, items = self.work.plan.began, PackedItems.of(self.work.scan.items)
        signer, at = Signer(self.work.task, began=began), items.stems.find(record.stem)
        files, item = signer.files(record.digests), items[at] if at >= 0 else None
        if key == UNKNOWN:
            renamed = not isinstance(self.work.kept.previous, RecordFile)
            return signer.signed(item, record, files, began, renamed=renamed), ()
        if states.written_key(files) == key:
            return signer.signed(item, record, files, time.time_ns()), files
        return Signed(), ()


def _lines(path: Path, numbers: Sequence[int]) -> Iterator[tuple[int, bytes]]:
    """The lines of these *numbers* of the records at *path*, in order."""
    if not numbers:
        return
    wanted, last = set(numbers), numbers[-1]
    with open_inside(path.parent, path.name) as file:
        for number in range(last + 1):
            line = next_line(file)
            if number in wanted:
                yield number, line
