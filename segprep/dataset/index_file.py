"""The file of the index beside a tree: a line of JSON, and what follows it. One that is wrong in
any way, or belongs to a tree that was copied or moved, is not believed.
"""

import json
import os
import time
from array import array
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from blake3 import blake3

from segprep import __version__
from segprep.files import read_plain


def index_path(out: Path) -> Path:
    """Where the index of the tree *out* lies."""
    real = Path(os.path.realpath(out))
    return real.parent / f".{real.name}.segprep-index"


def read(out: Path) -> tuple[dict[str, Any], memoryview]:
    """The first line of the index beside the tree *out*, and what follows; empty ones where it
    cannot be believed. Raises OSError, ValueError, KeyError, TypeError for one that is damaged.
    """
    data = read_plain(index_path(out))
    end = data.index(b"\n")
    header, body = dict[str, Any](json.loads(data[:end])), memoryview(data)[end + 1 :]
    told = (header["segprep"], header["out"], header["digest"])
    whole = told == (__version__, os.path.realpath(out), _digest(header, (body,)))
    return (header, body) if whole and header["time"] <= time.time_ns() else ({}, body[:0])


def write(out: Path, content: Mapping[str, Any], body: Sequence["array[int]"]) -> None:
    """Write the index of the tree *out*: *content* in its first line, then *body*, which is not
    copied. Where the system refuses, there is none.
    """
    header = {"segprep": __version__, "out": os.path.realpath(out), **content}
    header["time"] = time.time_ns()
    header["digest"] = _digest(header, body)
    path = index_path(out)
    temporary = path.with_name(f"{path.name}.part")
    with suppress(OSError):
        temporary.unlink(missing_ok=True)
        with open(temporary, "xb") as file:
            file.write(json.dumps(header).encode() + b"\n")
            file.writelines(body)
        os.replace(temporary, path)


def _digest(header: Mapping[str, Any], body: "Sequence[array[int] | memoryview]") -> str:
    """The digest of *header*, less its own, and *body*."""
    told = {key: value for key, value in header.items() if key != "digest"}
    checksum = blake3(json.dumps(told).encode())
    for part in body:
        checksum.update(memoryview(part).cast("B"))
    return str(checksum.hexdigest(20))


def output_keys(out: Path, records: str) -> "array[int]":
    """By line of the records of the tree *out*, whose digest is *records*: the key (see
    :func:`states.key`) of the states that the files of its digests have while they are as it says,
    UNKNOWN for none. Empty where no index tells, as in a copy of the tree, or one that was moved.
    """
    keys = array("Q")
    with suppress(OSError, ValueError, KeyError, TypeError):
        header, body = read(out)
        if header and header["records"] == records:
            keys.frombytes(body[: header["lengths"][0] * keys.itemsize])
    return keys
