"""Writing: whole files or none, forced to the disk."""

import errno
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from segprep.errors import SegprepError

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


def write_atomic(path: Path, data: bytes | bytearray) -> None:
    """Write *data* so that *path* holds either its old or its whole new content, also after a
    crash. Links are replaced, not followed.
    """
    temporary = path.with_name(f".{path.name}.part")
    try:
        temporary.unlink(missing_ok=True)  # it may be a link
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            _check_length(file, len(data))
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise write_error(path, error) from error
    sync_folder(path.parent)


def write_staged(path: Path | str, data: bytes | bytearray) -> os.stat_result:
    """Write *data* to a new file at *path*, which is trusted only after its digest was checked, or
    while it is in the state that is returned.

    A link there is replaced, not followed.
    """
    try:
        handle = create_staged(path)
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(handle, rest) :]
            return os.fstat(handle)
        finally:
            os.close(handle)
    except OSError as error:
        with suppress(OSError):  # half a file would only fill the disk
            os.unlink(path)
        raise write_error(Path(path), error) from error


def create_staged(path: Path | str) -> int:
    """A handle of a new file at *path*; what is there, a link too, is replaced. Raises OSError."""
    try:
        return os.open(path, _NEW_FILE, 0o666)
    except FileExistsError:
        with suppress(FileNotFoundError):
            os.unlink(path)
        return os.open(path, _NEW_FILE, 0o666)


def _check_length(file: BinaryIO, length: int) -> None:
    """Raise OSError where the file system kept less than it was given."""
    if (kept := os.fstat(file.fileno()).st_size) != length:
        raise OSError(errno.EIO, f"{kept} of {length} bytes arrived", str(file.name))


def write_error(path: Path, error: OSError) -> SegprepError:
    """The error that a person sees when the system refuses a write."""
    hint = "free space or fix permissions, then re-run the command"
    if error.errno == errno.ENAMETOOLONG:
        hint = "give a shorter path"
    return SegprepError("write-failed", f"{path}: {error.strerror} (errno {error.errno})", hint)


def sync_file(path: Path | str) -> None:
    """Force the content of *path* to the disk."""
    handle = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_files(folder: str, names: Iterable[str]) -> None:
    """Force the content of the files *names* in *folder* to the disk: found from its handle, which
    takes two thirds of the time of :func:`sync_file`.
    """
    if os.open not in os.supports_dir_fd:
        for name in names:
            sync_file(os.path.join(folder, name))
        return
    home = os.open(folder, os.O_RDONLY)
    try:
        for name in names:
            handle = os.open(name, os.O_RDWR, dir_fd=home)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
    finally:
        os.close(home)


def sync_folder(path: Path) -> None:
    """Force the names in folder *path* to the disk (where the system can)."""
    if os.name != "posix":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
