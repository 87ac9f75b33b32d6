"""The members of a tar file, plain or compressed, in one pass from its first byte to its last."""

import bz2
import gzip
import tarfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any, cast

from segprep.sources._common.archives.archive_limits import Member, damaged, too_large
from segprep.sources._common.archives.archive_names import decoded, parts_of, unsafe

_BLOCK = 512
_LONGEST_READ = 1 << 20  # bytes; tarfile reads a header with all its names at once
_PADDING = 64 << 20  # bytes of zeros that may follow the last member
_LINKS = (tarfile.SYMTYPE, tarfile.LNKTYPE)


def opened(path: Path, file: IO[bytes]) -> "TarBytes":
    """The tar *file* at *path*, whatever its compression."""
    start = file.read(6)
    file.seek(0)
    if start.startswith(b"\x1f\x8b"):
        return TarBytes(path, gzip.GzipFile(fileobj=file, mode="rb"))
    if start.startswith(b"BZh"):
        return TarBytes(path, bz2.BZ2File(file))
    return TarBytes(path, file)


class TarBytes:
    """The unpacked bytes of a tar file for :mod:`tarfile`: no header may fill the memory, and
    reading goes forward only, since going back makes damaged files endless.
    """

    def __init__(self, path: Path, file: Any) -> None:
        self.path, self.file, self.last = path, file, b""

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _LONGEST_READ:
            raise damaged(self.path, f"a header has {size} bytes")
        self.last = self.file.read(size)
        return self.last

    def seek(self, offset: int) -> int:
        if offset < self.file.tell() - _BLOCK:
            raise damaged(self.path, "a member has a negative size")
        return int(self.file.seek(offset))

    def tell(self) -> int:
        return int(self.file.tell())


def members(path: Path, content: TarBytes, notes: list[str]) -> Iterator[Member]:
    """What the tar file holds; each member has to be read before the next is asked for.

    Raises SegprepError for what is damaged or unsafe.
    """
    file = cast("IO[bytes]", content)
    archive: Any = tarfile.TarFile(fileobj=file, encoding="utf-8", errors="surrogateescape")
    while (info := archive.next()) is not None:
        archive.members.clear()  # it would remember every one
        name = _name(path, info.name, notes)
        if not (info.isfile() or info.isdir()) or info.issparse():
            kind = "a link" if info.type in _LINKS else "a device, a pipe, or a file with gaps"
            raise unsafe(path, name, f"is {kind}, not a file")
        size = 0 if info.isdir() else info.size
        yield Member(parts_of(path, name), size, info.isdir(), partial(archive.extractfile, info))
    _check_end(path, content)


def _check_end(path: Path, content: TarBytes) -> None:
    """The end has to be marked as one; reading on checks the checksum of the compression."""
    if content.last != bytes(_BLOCK):  # tarfile takes any end for one
        raise damaged(path, "it is cut off or damaged: the mark of its end is missing")
    total = 0
    while block := content.read(_LONGEST_READ):
        total += len(block)
        if total > _PADDING:
            raise too_large(path, "has data after its end")


def _name(path: Path, name: str, notes: list[str]) -> str:
    try:
        name.encode()
    except UnicodeEncodeError:
        (text,), encoding = decoded(path, [name.encode("utf-8", "surrogateescape")], "cp1252")
        if not notes:
            notes.append(f"{path.name}: names were read as {encoding}: {text}")
        return text
    return name
