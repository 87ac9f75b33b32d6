"""Copying: by the system from file to file, where it can, so that no byte passes through memory of
ours; systems that share blocks between files (Btrfs, XFS, APFS by its own tools) copy none at all.
"""

import errno
import os
from contextlib import suppress
from pathlib import Path

from segprep.errors import SourceError
from segprep.files.reading import opened_below, unreadable
from segprep.files.writing import create_staged, write_error

_PART = 1 << 30
_CANNOT = {errno.ENOSYS, errno.EXDEV, errno.EINVAL, errno.EOPNOTSUPP, errno.EPERM}


def copy_staged(origin: Path, roots: tuple[Path, ...], path: Path) -> os.stat_result:
    """Copy the regular file *origin*, which lies below one of *roots*, to a new file at *path*; a
    link there is replaced. The state of *origin* after that: what it was a copy of.

    Raises SourceError; SegprepError where it cannot be written.
    """
    source, state = opened_below(origin, roots)
    try:
        try:
            target = create_staged(path)
            try:
                copied = _copied(source, target, state.st_size)
            finally:
                os.close(target)
        except OSError as error:
            with suppress(OSError):  # half a file would only fill the disk
                path.unlink(missing_ok=True)
            raise write_error(path, error) from error
        after = os.fstat(source)
    except OSError as error:
        raise unreadable(origin, error) from error
    finally:
        os.close(source)
    if copied != after.st_size:
        raise SourceError(
            origin, "changed while it was copied", "run the command again", "unreadable"
        )
    return after


def _copied(source: int, target: int, size: int) -> int:
    """Copy all of *source*, which had *size* bytes, to *target*; how many bytes that were."""
    done = 0
    if hasattr(os, "copy_file_range"):
        try:
            while done < size and (
                count := os.copy_file_range(source, target, min(size - done, _PART))
            ):
                done += count
        except OSError as error:
            if done or error.errno not in _CANNOT:
                raise
    while data := os.read(source, 1 << 20) if done < size else b"":
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(target, rest) :]
        done += len(data)
    return done
