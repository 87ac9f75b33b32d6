"""What the last run of a call left, as the index beside its tree keeps it: while no file below its
source and its tree looks different, the same call has nothing to do, and lists and pairs nothing.
"""

import os
import stat
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path
from typing import Any

from blake3 import blake3

from segprep.conversion import file_states
from segprep.conversion.file_states import Index, Signatures
from segprep.conversion.planning import Work
from segprep.conversion.result import Conversion
from segprep.conversion.sample_files import SampleTask
from segprep.conversion.signatures import UNKNOWN, Signer
from segprep.dataset.manifest import RECORDS
from segprep.dataset.record_file import RecordFile
from segprep.dataset.tree import LOCK
from segprep.errors import SourceError
from segprep.files import digest, digest_file, facts, real_folders, states
from segprep.packed_items import PackedItems
from segprep.types import Note, Skipped

_LINES = 1000  # that are hashed at once


@dataclass(frozen=True, slots=True)
class Snapshot:
    """*digest* changes when a file below a folder comes, goes, or is touched; *recent*: the files
    that were touched so late that they may change again without a trace, relative to the folder.
    """

    digest: str
    recent: tuple[str, ...]


def snapshot(folder: Path, moment: int) -> Snapshot:
    """The state of *folder*; what has not settled by *moment* (nanoseconds) is recent. Raises
    OSError where something cannot be listed.
    """
    checksum, recent, waiting = blake3(), list[str](), [str(folder)]
    while waiting:
        home = waiting.pop()
        checksum.update(os.fsencode(f"{home[len(str(folder)) :]}\0\0"))
        lines, names = list[bytes](), os.listdir(home)
        names.sort()
        for name in names:
            path = f"{home}{os.sep}{name}"
            state = os.lstat(path)
            if stat.S_ISDIR(state.st_mode):
                waiting.append(path)
            elif home != str(folder) or name != LOCK:
                lines.append(os.fsencode(name) + b"\0" + states.described(state) + b"\n")
                if len(lines) == _LINES:
                    checksum.update(b"".join(lines))
                    lines.clear()
                if not states.settled(state, moment):
                    recent.append(path[len(str(folder)) + 1 :])
        checksum.update(b"".join(lines))
    return Snapshot(checksum.hexdigest(20), tuple(recent))


@dataclass(frozen=True, slots=True)
class Call:
    """A call (*key*: its format, source, options) with the state of its *inputs* and, where there
    was a tree, of its *outputs* before it read anything.
    """

    task: SampleTask
    key: str
    inputs: Snapshot
    outputs: Snapshot | None

    def answer(self) -> Conversion | None:
        """What the last run reports again, if nothing looks different since."""
        last = file_states.load(self.task).last_run
        if self.outputs is None or not last:
            return None
        with suppress(OSError, SourceError, ValueError, KeyError, TypeError, AttributeError):
            states = (last["call"], last["inputs"], last["outputs"])
            if states == (self.key, self.inputs.digest, self.outputs.digest) and all(
                digest_file(self.task.out / name) == expected
                for name, expected in last["recent"].items()
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
        """Remember *done*, the report of a run that changed nothing, for the next one."""
        index = file_states.load(self.task)
        if index.records:
            last = self.described(done, self.outputs, {})
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
        outputs = snapshot(task.out, now) if task.out.is_dir() else None
    except OSError:
        return None
    joined = digest(
        "\n".join(snapshot.digest for snapshot in inputs).encode("utf-8", "backslashreplace")
    )
    recent = tuple(name for snapshot in inputs for name in snapshot.recent)
    return Call(task, key.hexdigest(20), Snapshot(joined, recent), outputs)


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
    texts: Mapping[str, bytes | Path],
    records: str,
    call: Call | None,
    again: Conversion,
) -> None:
    """Make the index of a tree that was just published with these *texts*, the digest of whose
    records is *records*; *again*: the report of the same *call* where nothing changes meanwhile.
    """
    task, outputs = work.task, None
    if call:
        with suppress(OSError):
            outputs = snapshot(task.out, time.time_ns())
    recent = outputs.recent if outputs else ()
    index, digests = _published_index(work, records, recent=recent)
    for name, content in texts.items():
        digests[name] = digest(content) if isinstance(content, bytes) else records
    last = call.described(again, outputs, digests) if call else None
    file_states.save(task, replace(index, last_run=last))


def _published_index(
    work: Work, records: str, *, recent: Iterable[str] = ()
) -> tuple[Index, dict[str, str]]:
    """The index of the tree that *work* just published, the digest of whose records is *records*,
    and the digests of its *recent* files.
    """
    items, kept, wanted = PackedItems.of(work.scan.items), work.kept, set(recent)
    signer = Signer(work.task, items, written=time.time_ns(), read=work.plan.began)
    file, digests = RecordFile(work.task.out / RECORDS, records), dict[str, str]()
    signatures = Signatures()
    for number, stem in enumerate(file):
        before = kept.line(stem)
        if before >= 0 and kept.signatures.numbers[before] != UNKNOWN:
            earlier = kept.signatures.numbers[before], kept.signatures.layout(before)
            signatures.put(number, *earlier)
            continue
        plain = file.plain(stem)
        signatures.put(number, *signer.signed(items.stems.find(stem), plain))
        if wanted:
            digests |= {name: plain["digests"][name] for name in plain["digests"].keys() & wanted}
    file.close()
    return Index(records, signatures, facts=facts.learned()), digests
