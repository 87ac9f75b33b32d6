"""Folders kept open while many of their files are read: a file is opened by its name alone, so no
part of the way to it is looked up, or can be exchanged, a second time.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

MOST = 64  # folders open at once
_NO_NAMES = frozenset(("", ".", ".."))
_SUPPORTED = os.open in os.supports_dir_fd and hasattr(os, "O_DIRECTORY")


class _Handles(threading.local):
    """Handles of folders below a root, by path, of one thread. *users*: runs that count on them."""

    def __init__(self) -> None:
        self.folders: dict[str, int] = {}
        self.allowed: set[tuple[str, tuple[Path, ...]]] = set()  # with the roots they are below
        self.last: tuple[str, tuple[Path, ...], int] | None = None  # the folder that was asked for
        self.users = 0

    def close(self) -> None:
        """Close all of them."""
        self.allowed.clear()
        self.last = None
        while self.folders:
            os.close(self.folders.popitem()[1])


_handles = _Handles()


@contextmanager
def remembered() -> Iterator[None]:
    """Keep folders open for the time of one run over many files, in which nobody renames them."""
    _handles.users += 1
    try:
        yield
    finally:
        _handles.users -= 1
        if not _handles.users:
            _handles.close()


def placed(path: Path, roots: tuple[Path, ...]) -> tuple[str, int] | None:
    """The name of *path* and a handle of its folder, which lies below one of *roots* with no link
    on the way; None where that cannot be had, or nothing is remembered.
    """
    if not _handles.users or not _SUPPORTED:
        return None
    text = os.fspath(path)
    folder, _, name = text.rpartition(os.sep)
    if name not in _NO_NAMES and "\0" not in name:
        last = _handles.last
        if last is not None and last[0] == folder and last[1] is roots:
            return name, last[2]
        if (folder, roots) in _handles.allowed:
            _handles.last = folder, roots, _handles.folders[folder]
            return name, _handles.folders[folder]
    if not name or "\0" in text or os.path.normpath(text) != text or not is_below(folder, roots):
        return None
    handle = _handles.folders.get(folder)
    if handle is None:
        handle = _opened(
            folder, max((str(root) for root in roots if is_below(folder, (root,))), key=len)
        )
    if handle is None:
        return None
    _handles.allowed.add((folder, roots))
    return name, handle


def _opened(folder: str, root: str) -> int | None:
    """A new handle of *folder*, opened part by part from *root*; None where one is a link."""
    handle = None
    try:
        handle = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
        for part in filter(None, folder[len(root) :].split(os.sep)):
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
            outer, handle = handle, os.open(part, flags, dir_fd=handle)
            os.close(outer)
    except (OSError, ValueError):
        if handle is not None:
            with suppress(OSError):
                os.close(handle)
        return None
    if len(_handles.folders) >= MOST:
        _handles.close()
    _handles.folders[folder] = handle
    return handle


def is_below(text: str, roots: tuple[Path, ...]) -> bool:
    """Whether the absolute, normal path *text* is one of *roots* or below it.

    Strings, because this runs for every file.
    """
    for root in map(str, roots):
        if text.startswith(root) and (
            root.endswith(os.sep) or text[len(root) : len(root) + 1] in ("", os.sep)
        ):
            return True
    return False
