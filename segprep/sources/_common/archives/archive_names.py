"""Names in archives: in which encoding they were written, and whether they are safe to create."""

import re
from collections.abc import Iterable
from pathlib import Path

from segprep.errors import SegprepError, SourceError
from segprep.names import shown
from segprep.sources._common.archives.archive_limits import BY_HAND
from segprep.sources._common.texts import text_encoding

_DRIVE = re.compile(r"[A-Za-z]:")
_CLUTTER = {".DS_Store", "Thumbs.db", "desktop.ini"}


def unsafe(path: Path, name: str, why: str) -> SegprepError:
    """The error for a member that must not be created."""
    return SegprepError("archive-unsafe", f"{path}: {shown(name)} {why}", BY_HAND)


def parts_of(path: Path, name: str) -> tuple[str, ...]:
    """The folders and the file name of the member *name* of the archive *path*; none where it is
    what macOS or Windows adds. Raises SegprepError (archive-unsafe).
    """
    plain = name.replace("\\", "/")
    if "\0" in plain:
        raise unsafe(path, name, "has a NUL character in its name")
    if plain.startswith("/") or _DRIVE.match(plain):
        raise unsafe(path, name, "is an absolute path")
    parts = tuple(part for part in plain.split("/") if part not in ("", "."))
    if ".." in parts:
        raise unsafe(path, name, "leads out of the archive")
    clutter = "__MACOSX" in parts or any(part[:2] == "._" or part in _CLUTTER for part in parts)
    return () if clutter else parts


def decoded(path: Path, names: Iterable[bytes], western: str) -> tuple[list[str], str]:
    """*names* as text and their common encoding: UTF-8, else what reads plausibly, else *western*,
    which knows every byte.
    """
    raw = list(names)
    try:
        text, encoding = text_encoding.decoded(b"\n".join(raw), path)
    except SourceError:
        text, encoding = b"\n".join(raw).decode(western, "replace"), western
    texts = text.split("\n")
    if len(texts) != len(raw):  # a line feed within a name
        return [name.decode(encoding, "replace") for name in raw], encoding
    return texts, encoding
