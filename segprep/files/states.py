"""What size, times and inode of a file tell: while they stay as they are, its content does, unless
the file was touched so late that it may change again without a trace.
"""

import os
import stat
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from blake3 import blake3

if TYPE_CHECKING:
    from segprep.files.folder_states import Times

UNKNOWN = 0  # the key of no state
RACY = 2_000_000_000  # nanoseconds: the coarsest clock of a file system that is in use
FINE = 100_000_000  # ten ticks of the slowest clock of a system that keeps fractions of them
_MILLISECOND = 1_000_000


def settled(state: "os.stat_result | Times", moment: int, *, renamed: bool = False) -> bool:
    """Whether a file that had this *state* at the *moment* (nanoseconds) or later can only change
    with a trace. Times in fractions of milliseconds come from a fine clock. Of one that was
    *renamed* since, only the time of its content counts.
    """
    times = state.st_mtime_ns, state.st_mtime_ns if renamed else state.st_ctime_ns
    latest = max(times)
    if latest < moment - RACY or latest >= moment - FINE:
        return latest < moment - RACY
    return os.name == "posix" and all(time % _MILLISECOND for time in times)


def latest(state: os.stat_result) -> int:
    """When a file was last written or renamed, linked, or given other rights (nanoseconds)."""
    return max(state.st_mtime_ns, state.st_ctime_ns)


def described(state: os.stat_result) -> bytes:
    """Size, times and inode as text."""
    times = state.st_mtime_ns, state.st_ctime_ns
    return b"%d,%d,%d,%d;" % (state.st_size, *times, state.st_ino)


def key(states: Iterable[os.stat_result]) -> int:
    """64 bits that change when one of the *states* does; never UNKNOWN."""
    return hashed(b"".join(map(described, states)))


def are(states: Collection[os.stat_result | None], expected: int) -> bool:
    """Whether *expected* is the key of these *states*, all of regular files; None: of no file."""
    every = [state for state in states if state is not None and stat.S_ISREG(state.st_mode)]
    return expected != UNKNOWN and len(every) == len(states) and key(every) == expected


def written_key(states: Iterable[os.stat_result]) -> int:
    """64 bits that change when the content of a file in one of the *states* does, but not when it
    is renamed; never UNKNOWN.
    """
    parts = (b"%d,%d,%d;" % (state.st_size, state.st_mtime_ns, state.st_ino) for state in states)
    return hashed(b"".join(parts))


def hashed(text: bytes) -> int:
    """64 bits of a digest of *text*, never UNKNOWN."""
    return int.from_bytes(blake3(text).digest(8), "little") or 1
