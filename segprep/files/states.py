"""What size, times and inode of a file tell: while they stay as they are, its content does, unless
the file was touched so late that it may change again without a trace.
"""

import os

RACY = 2_000_000_000  # nanoseconds: the coarsest clock of a file system that is in use
FINE = 100_000_000  # ten ticks of the slowest clock of a system that keeps fractions of them
_MILLISECOND = 1_000_000


def settled(state: os.stat_result, moment: int) -> bool:
    """Whether a file that had this *state* at the *moment* (nanoseconds) or later can only change
    with a trace. Times in fractions of milliseconds come from a fine clock.
    """
    times = state.st_mtime_ns, state.st_ctime_ns
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
