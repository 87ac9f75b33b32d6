"""The safe read: no link out of the roots, no pipe or device, no more bytes than a limit."""

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from segprep.errors import SourceError
from segprep.files import open_folders
from segprep.files.inputs import saw
from segprep.files.paths import resolve_below

MAX_BYTES = 256 * 1024 * 1024
_READ_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
)


def read_below(
    path: Path, roots: tuple[Path, ...], limit: int = MAX_BYTES, *, empty: bool = False
) -> bytes:
    """The content of a regular file below one of *roots* (resolved folders).

    Never follows a link out of the roots, never opens a pipe or device for reading, never reads
    more than *limit* bytes; *empty* files are allowed only where asked for. Raises SourceError with
    a code that says which of these it was.
    """
    handle, state = opened_below(path, roots)
    data = _read_whole(handle, state, path, limit)
    if not data and not empty:
        raise SourceError(path, "has 0 bytes", "restore it from its origin", "empty-file")
    if data.startswith(b"version https://git-lfs.github.com/spec/"):
        raise SourceError(
            path, "is a Git LFS pointer, not the file itself", "run: git lfs pull", "lfs-pointer"
        )
    saw(path, data, state)
    return data


def head_below(path: Path, roots: tuple[Path, ...], size: int) -> bytes:
    """The first *size* bytes of a regular file below one of *roots*, or all where it has fewer.

    Raises SourceError.
    """
    return probe_below(path, roots, size)[0]


def probe_below(path: Path, roots: tuple[Path, ...], size: int) -> tuple[bytes, os.stat_result]:
    """What :func:`head_below` gives, and the state of the file before it was read."""
    handle, state = opened_below(path, roots)
    try:
        return os.read(handle, size), state
    except OSError as error:
        raise unreadable(path, error) from error
    finally:
        os.close(handle)


def opened_below(path: Path, roots: tuple[Path, ...]) -> tuple[int, os.stat_result]:
    """A handle of a regular file, and its state: opened through its folder's handle; all that
    cannot be is looked up with care. Raises SourceError.
    """
    if (entry := open_folders.placed(path, roots)) is not None:
        with suppress(OSError, ValueError):
            handle = os.open(entry[0], _READ_FLAGS, dir_fd=entry[1])
            state = os.fstat(handle)
            if stat.S_ISREG(state.st_mode):
                return handle, state
            os.close(handle)
    return _opened(path, resolve_below(path, roots))


def read_file(path: Path, limit: int = MAX_BYTES) -> bytes:
    """The content of a file that the user named: a link may lead anywhere, but a pipe or device is
    not opened. Raises SourceError.
    """
    try:
        return _content(path, os.path.realpath(path, strict=True), limit)
    except (OSError, ValueError) as error:
        if isinstance(error, SourceError):
            raise
        raise unreadable(path, error) from error


def read_plain(path: Path | str, limit: int = MAX_BYTES) -> bytes:
    """What :func:`read_file` gives, for callers to whom any failure is an OSError: a pipe, too, has
    no content.
    """
    try:
        return read_file(Path(path), limit)
    except SourceError as error:
        if isinstance(cause := error.__cause__, OSError):
            raise cause from error
        raise OSError(errno.EINVAL, error.reason, str(path)) from error


def read_inside(root: Path, name: str, limit: int = MAX_BYTES) -> bytes | None:
    """The content of the file *name* (relative) inside the folder *root*, or None where there is
    nothing of that name. Raises SourceError for a link that leads out of *root*, a pipe, a device.
    """
    if not os.path.lexists(root / name):
        return None
    folder = root.resolve()
    return read_below(folder / name, (folder,), limit, empty=True)


def open_inside(root: Path, name: str) -> BinaryIO:
    """The regular file *name* (relative) inside the folder *root*, opened for reading.

    Raises SourceError.
    """
    folder = root.resolve()
    return os.fdopen(opened(folder / name, resolve_below(folder / name, (folder,))), "rb")


def opened(path: Path, real: Path | str) -> int:
    """A handle of the regular file *real*; *path* is what messages call it. Raises SourceError."""
    return _opened(path, real)[0]


def _opened(path: Path, real: Path | str) -> tuple[int, os.stat_result]:
    """What :func:`opened` gives, and the state of the file."""
    try:
        handle = os.open(real, _READ_FLAGS)
    except OSError as error:
        raise unreadable(path, error) from error
    state = os.fstat(handle)
    if not stat.S_ISREG(state.st_mode):
        os.close(handle)
        raise SourceError(path, "is not a regular file", "remove it from the folder", "not-a-file")
    return handle, state


def _content(path: Path, real: Path | str, limit: int) -> bytes:
    return _read_whole(*_opened(path, real), path, limit)


def _read_whole(handle: int, state: os.stat_result, path: Path, limit: int) -> bytes:
    """What the open file *handle* holds; it is closed. Raises SourceError."""
    size = state.st_size
    try:
        if size > limit:
            raise SourceError(path, f"has {size} bytes; {limit} are allowed", code="file-too-large")
        return os.read(handle, size + 1)
    except OSError as error:
        raise unreadable(path, error) from error
    finally:
        os.close(handle)


def unreadable(path: Path, error: Exception) -> SourceError:
    """The error that a person sees when the system refuses to read *path*."""
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return SourceError(
        path,
        f"cannot be read: {reason}",
        "check that it exists and its permissions",
        "unreadable",
    )
