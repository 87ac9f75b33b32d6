"""Digests: 160 bits of BLAKE3 of bytes, arrays and files."""

import os
from functools import lru_cache
from pathlib import Path
from typing import Any

from blake3 import blake3

from segprep.files.inputs import Mark, saw
from segprep.files.paths import resolve_below
from segprep.files.reading import opened, unreadable


def digest(data: bytes | bytearray) -> str:
    """160 bits of BLAKE3 as 40 hex digits: cryptographic, and five times as fast as BLAKE2b, twenty
    times as fast as SHA-256 without SHA instructions.
    """
    return blake3(data).hexdigest(20)


def digest_array(samples: Any) -> str:
    """:func:`digest` of a numpy array with its type and shape; a contiguous one is not copied."""
    checksum = blake3(_kind(samples.dtype, samples.shape))
    checksum.update(samples.reshape(-1).view("u1"))
    return str(checksum.hexdigest(20))


@lru_cache(maxsize=64)
def _kind(dtype: Any, shape: tuple[int, ...]) -> bytes:
    return f"{dtype}{shape}".encode()


def digest_file(path: Path, *, leave: int = 0) -> str:
    """:func:`digest` of the regular file at *path*, whatever its size, less the last *leave* bytes.

    Raises SourceError.
    """
    checksum = blake3()
    with os.fdopen(opened(path, path.resolve()), "rb") as file:
        rest = os.fstat(file.fileno()).st_size - leave
        while rest > 0 and (block := file.read(min(rest, 1 << 20))):
            checksum.update(block)
            rest -= len(block)
    return str(checksum.hexdigest(20))


def mark_below(path: Path, roots: tuple[Path, ...]) -> Mark:
    """The digest of a regular file below one of *roots*, whatever its size, without holding it. A
    file that did not change since the last call (size, time) is not read again.

    Raises SourceError.
    """
    real = resolve_below(path, roots)
    try:
        state = os.stat(real)
    except OSError as error:
        raise unreadable(path, error) from error
    mark = _marked(real, (state.st_size, state.st_mtime_ns, state.st_ino))
    saw(path, mark, state)
    return mark


@lru_cache(maxsize=64)
def _marked(real: Path, state: tuple[int, int, int]) -> Mark:
    """The digest of the file *real* as long as its *state* stays."""
    return Mark(digest_file(real))
