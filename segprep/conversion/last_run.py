"""What the last run of a call left, as the index beside its tree keeps it: while no file below its
source and its tree looks different, the same call has nothing to do, and lists and pairs nothing.
"""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path
from typing import Any

from blake3 import blake3

from segprep.conversion import file_states
from segprep.conversion.file_states import Index, Signatures, WrittenSignatures
from segprep.conversion.planning import Work
from segprep.conversion.result import Conversion
from segprep.conversion.sample_files import SampleTask
from segprep.conversion.signatures import Signed, Signer
from segprep.conversion.snapshots import Snapshot, snapshot
from segprep.dataset import manifest
from segprep.dataset.journal import Journal
from segprep.dataset.manifest import RECORDS, next_line
from segprep.dataset.record_file import RecordFile
from segprep.dataset.totals import Totals
from segprep.errors import SourceError
from segprep.files import digest, digest_file, facts, open_inside, real_folders, states
from segprep.files.states import UNKNOWN
from segprep.packed_items import PackedItems
from segprep.types import Note, Skipped


@dataclass(frozen=True, slots=True)
class Call:
    """A call (*key*: its format, source, options) with the state of its *inputs* before it read
    anything, when it *began* (nanoseconds).
    """

    task: SampleTask
    key: str
    inputs: Snapshot
    began: int

    def answer(self) -> Conversion | None:
        """What the last run reports again, if nothing looks different since."""
        last = file_states.load(self.task).last_run
        if not last or not self.task.out.is_dir():
            return None
        with suppress(OSError, SourceError, ValueError, KeyError, TypeError, AttributeError):
            if (
                (last["call"], last["inputs"]) == (self.key, self.inputs.digest)
                and last["outputs"] == snapshot(self.task.out, self.began).digest
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
        inputs = [snapshot(root, now) for root in roots]
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
    return Call(task, key.hexdigest(20), Snapshot(joined, recent), now)


def _named_files(reader: Any) -> Iterator[str]:
    """The files that options name, wherever they lie."""
    for field in fields(reader):
        if field.name in ("root", "image_root"):
            continue
        for value in _texts(getattr(reader, field.name)):
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
    written: WrittenSignatures | None,
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
    work: Work, lines: Journal, written: WrittenSignatures | None, outputs: Snapshot | None
) -> _Published:
    """What *work* just published; *written*: what is signed of the samples that it wrote, if it is
    known; *outputs*: the state of the tree, where it could be looked at.
    """
    items, kept, recent = PackedItems.of(work.scan.items), work.kept, set[str]()
    if outputs:
        recent.update(outputs.recent)
    fresh = written.signatures if written and outputs else None
    began, now = work.plan.began, time.time_ns()
    signer = Signer(work.task, items, began=began)
    renamed = not isinstance(kept.previous, RecordFile)
    signatures, digests, checksum = Signatures(), dict[str, str](), blake3()
    count, latest = 0, written.latest if written and outputs else 0
    with open_inside(work.task.out, RECORDS) as file:
        for number, (stem, before, at, key) in enumerate(lines.origins()):
            line = next_line(file)
            checksum.update(line)
            if before >= 0 and kept.signatures and kept.signatures.numbers[before] != UNKNOWN:
                signatures.put(number, kept.signatures.signed(before))
                continue
            names = lines.files(stem)
            signed_already = fresh is not None and fresh.outputs[at] != UNKNOWN
            if fresh and signed_already and recent.isdisjoint(names):
                signatures.put(number, fresh.signed(at))
                count += len(names)
                continue
            record = manifest.written_record(line)
            files, item = signer.files(record.digests), items.stems.find(stem)
            if not key:
                signed = signer.signed(item, record, files, began, renamed=renamed)
            elif states.written_key(files) == key:
                signed = signer.signed(item, record, files, now)
                count += len(files)
                latest += 0 if signed_already else sum(map(states.latest, files))
            else:
                signed = Signed()
            signatures.put(number, signed)
            digests |= {name: record.digests[name] for name in recent.intersection(names)}
    return _Published(checksum.hexdigest(20), signatures, digests, count, latest)
