"""The members of a zip file, all checked before any of them is unpacked."""

import stat
import struct
import zipfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import IO

from segprep.sources._common.archives.archive_limits import MOST_MEMBERS, Member, damaged, too_large
from segprep.sources._common.archives.archive_names import decoded, parts_of, unsafe

_END, _END_64, _LOCATOR = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
_END_AND_COMMENT, _LOCATOR_SIZE = 22 + 65_535, 20
_DIRECTORY = 64 << 20  # bytes that the list of members may have
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)
_AES = 99
_ENCRYPTED, _UTF_8, _UNIX = 0x1, 0x800, 3
_LOCAL_HEADER = 30


def opened(path: Path, file: IO[bytes]) -> zipfile.ZipFile:
    """The zip *file* at *path*, once its list of members is known to be of sane length.

    Raises SegprepError (archive-unreadable, archive-too-large).
    """
    count, length = _stated(path, file)
    if count > MOST_MEMBERS or length > _DIRECTORY:
        raise too_large(
            path, f"lists {count} members in {length} bytes; {MOST_MEMBERS} are allowed"
        )
    try:
        return zipfile.ZipFile(file)
    except (zipfile.BadZipFile, struct.error, ValueError, NotImplementedError, EOFError) as error:
        raise damaged(path, str(error)) from error


def members(path: Path, archive: zipfile.ZipFile, notes: list[str]) -> list[Member]:
    """What *archive* holds. Raises SegprepError for what is damaged, unsafe or too much."""
    listed = archive.infolist()
    _check_places(path, listed, archive.start_dir)
    return [
        _member(path, archive, info, name)
        for info, name in zip(listed, _names(path, listed, notes), strict=True)
    ]


def _member(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> Member:
    mode = info.external_attr >> 16 if info.create_system == _UNIX else 0
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        kind = "a link" if stat.S_ISLNK(mode) else "a device or pipe"
        raise unsafe(path, name, f"is {kind}, not a file")
    if info.flag_bits & _ENCRYPTED or info.compress_type == _AES:
        raise damaged(path, f"{name} is encrypted", "unpack it with its password")
    if info.compress_type not in _METHODS:
        why = f"{name} is compressed by method {info.compress_type}, which is not known here"
        raise damaged(path, why, "unpack it with another program, and give the folder")
    folder = name.endswith(("/", "\\"))
    size = 0 if folder else info.file_size
    return Member(parts_of(path, name), size, folder, partial(archive.open, info))


def _stated(path: Path, file: IO[bytes]) -> tuple[int, int]:
    """How many members the end of the file states, and in how many bytes they are listed."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _END_AND_COMMENT - _LOCATOR_SIZE))
    tail = file.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < 22:
        raise damaged(path, "its end is missing: it is cut off, or no zip file")
    count, length = struct.unpack("<HL", tail[at + 10 : at + 16])
    if tail[max(0, at - _LOCATOR_SIZE) : at].startswith(_LOCATOR):
        (offset,) = struct.unpack("<Q", tail[at - 12 : at - 4])
        file.seek(min(offset, size))
        record = file.read(56)
        if len(record) == 56 and record.startswith(_END_64):
            count, length = struct.unpack("<QQ", record[32:48])
    file.seek(0)
    return count, length


def _check_places(path: Path, listed: Sequence[zipfile.ZipInfo], end: int) -> None:
    """Refuse members that share bytes: a small file that unpacks to a huge one."""
    ordered = sorted(listed, key=lambda info: info.header_offset)
    ends = [*(info.header_offset for info in ordered), end][1:]
    for info, following in zip(ordered, ends, strict=bool(ordered)):
        if info.header_offset + _LOCAL_HEADER + info.compress_size > following:
            raise unsafe(path, info.filename, "shares its bytes with another member")


def _names(path: Path, listed: Sequence[zipfile.ZipInfo], notes: list[str]) -> list[str]:
    """The members' names; those without the mark of UTF-8 are in one encoding of their writer."""
    names = [info.orig_filename for info in listed]
    strange = [
        number
        for number, info in enumerate(listed)
        if not info.flag_bits & _UTF_8 and not names[number].isascii()
    ]
    if strange:
        raw = [names[number].encode("cp437") for number in strange]
        texts, encoding = decoded(path, raw, "cp437")
        for number, text in zip(strange, texts, strict=True):
            names[number] = text
        if encoding != "utf-8":
            notes.append(f"{path.name}: names were read as {encoding}: {texts[0]}")
    return names
