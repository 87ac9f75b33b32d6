"""The index beside a tree: by what their sizes, times and inodes show, which samples' files are as
they were when they were last hashed. As git's index, it saves reading what nobody touched.

    .NAME.segprep-index    for the tree NAME; one that is wrong in any way is ignored, and replaced

A file that changed right before it was looked at may change again without a trace, so its sample is
hashed next time, too; and so are all of them where the clock was set back.
"""

import json
import os
import time
from array import array
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from blake3 import blake3

from segprep import __version__
from segprep.conversion.sample_files import SampleTask
from segprep.dataset.record_file import RecordFile
from segprep.files import digest, facts, read_plain, states
from segprep.files.facts import Facts

UNKNOWN = 0
_PARTS = "QQI"  # the arrays behind the first line: signatures, keys and numbers of facts


def index_path(out: Path) -> Path:
    """Where the index of the tree *out* lies."""
    return out.parent / f".{out.name}.segprep-index"


def signature(task: SampleTask, record: Mapping[str, Any], *, written: int, read: int) -> int:
    """A number that changes when size, time or inode of an output or input of the sample does (its
    *record* as JSON), or one comes or goes; UNKNOWN where an output has not settled by *written* or
    an input by *read* (nanoseconds).
    """
    lines, out = list[bytes](), str(task.out)
    root = "" if task.archives.unpacked else str(task.root)
    files = [(os.path.join(out, name), written) for name in record["digests"]]
    files += [
        (os.path.join(root, name) if root and ".." not in name else str(task.located(name)), read)
        for name in record["inputs"]
    ]
    for path, moment in files:
        try:
            state = os.stat(path)
        except OSError:
            lines.append(b"absent;")
            continue
        if not states.settled(state, moment):
            return UNKNOWN
        lines.append(states.described(state))
    return int.from_bytes(blake3(b"".join(lines)).digest(8), "little") or 1


@dataclass(frozen=True, slots=True)
class Index:
    """The signatures by line of records.jsonl, whose digest is *records*; *last_run*: what
    :mod:`last_run` keeps of a call after which nothing was left to do, or None; *facts* of inputs.
    """

    records: str = ""
    numbers: "array[int]" = field(default_factory=partial(array, "Q"))
    last_run: Mapping[str, Any] | None = None
    facts: Facts = field(default_factory=Facts)


def load(task: SampleTask) -> Index:
    """The index beside the tree; empty where there is none that can be believed."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        data = read_plain(index_path(task.out))
        head, _, body = data.partition(b"\n")
        header = json.loads(head)
        told = (header["segprep"], header["out"], header["digest"])
        if (
            told == (__version__, str(task.out), _digest(header, body))
            and header["time"] <= time.time_ns()
        ):
            numbers, keys, kinds = (array(kind) for kind in _PARTS)
            start = 0
            for part, length in zip((numbers, keys, kinds), header["lengths"], strict=True):
                end = start + length * part.itemsize
                part.frombytes(body[start:end])
                start = end
            values = [bytes.fromhex(value) for value in header["facts"]]
            return Index(header["records"], numbers, header["last_run"], Facts(keys, kinds, values))
    return Index()


def _digest(header: Mapping[str, Any], body: bytes) -> str:
    told = [header[key] for key in ("records", "last_run", "facts", "lengths")]
    return digest(json.dumps(told).encode() + body)


def save(task: SampleTask, index: Index) -> None:
    """Keep *index*; where the system refuses, there is none, and all is hashed next time."""
    parts = (index.numbers, index.facts.keys, index.facts.numbers)
    body = b"".join(part.tobytes() for part in parts)
    head: dict[str, Any] = {
        "segprep": __version__,
        "out": str(task.out),
        "records": index.records,
        "last_run": index.last_run,
        "facts": [value.hex() for value in index.facts.values],
        "lengths": [*map(len, parts)],
        "time": time.time_ns(),
    }
    head["digest"] = _digest(head, body)
    path = index_path(task.out)
    temporary = path.with_name(f"{path.name}.part")
    with suppress(OSError):
        temporary.unlink(missing_ok=True)
        with open(temporary, "xb") as file:
            file.write(json.dumps(head).encode() + b"\n" + body)
        os.replace(temporary, path)


def published(
    task: SampleTask,
    path: Path,
    records: str,
    *,
    read: int,
    earlier: Callable[[str], int] = lambda _: UNKNOWN,
    recent: Iterable[str] = (),
) -> tuple[Index, dict[str, str]]:
    """The index of a tree that was just published, whose records lie at *path*, and the digests of
    its *recent* files; *read*: when the first of its inputs was read; *earlier*: the signature of a
    sample that stayed as it was, or UNKNOWN.
    """
    written, numbers, wanted = time.time_ns(), array("Q"), set(recent)
    file, digests = RecordFile(path, records), dict[str, str]()
    for stem in file:
        if (number := earlier(stem)) != UNKNOWN:
            numbers.append(number)
            continue
        plain = file.plain(stem)
        numbers.append(signature(task, plain, written=written, read=read))
        if wanted:
            digests |= {name: plain["digests"][name] for name in plain["digests"].keys() & wanted}
    file.close()
    return Index(records, numbers, facts=facts.learned()), digests
