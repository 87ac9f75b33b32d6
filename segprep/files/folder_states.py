"""The states of many files of a folder at once."""

import os
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from segprep import kernel


class Times(NamedTuple):
    """When a file's content and its inode changed last, under the names that a state has."""

    st_mtime_ns: int
    st_ctime_ns: int

    @classmethod
    def of(cls, state: os.stat_result) -> "Times":
        """Those of a *state*."""
        return cls(state.st_mtime_ns, state.st_ctime_ns)


def rows(folder: bytes, names: list[bytes]) -> NDArray[np.int64]:
    """Mode, size, the two :class:`Times` and inode of each of *names* in *folder*, of links
    themselves: (N, 5); the last 64 bits of each, which hold times up to the year 2262. Raises
    OSError.
    """
    content = kernel.compiled.states(folder, names) if kernel.compiled is not None else None
    if content is not None:
        return np.frombuffer(content, np.int64).reshape(-1, 5)
    every = _states(folder, names)
    values = [
        (state.st_mode, state.st_size, *map(in_64, (*Times.of(state), state.st_ino)))
        for state in every
    ]
    return np.array(values, np.int64).reshape(-1, 5)


def _states(folder: bytes, names: list[bytes]) -> list[os.stat_result]:
    """The states of *names* in *folder*, by its handle where the system has such a call."""
    if os.stat not in os.supports_dir_fd:
        return [os.lstat(os.path.join(folder, name)) for name in names]
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        return [os.stat(name, dir_fd=handle, follow_symlinks=False) for name in names]
    finally:
        os.close(handle)


def in_64(number: int) -> int:
    """The last 64 bits of *number*, the first of which is the sign."""
    return (number + (1 << 63)) % (1 << 64) - (1 << 63)
