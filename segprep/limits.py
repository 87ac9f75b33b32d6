"""Limits on what one input may cost: memory, and computing time per item.

They are set for a command and hold in its worker processes too; without one, nothing is limited.
Memory is what the process allocates (Linux: RLIMIT_DATA; elsewhere it is not limited), time is that
of processors, so that a busy machine does not matter.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

SHARE = 0.75  # of the memory that is there
SECONDS = 120.0  # of computing time per item
LEAST = 256 << 20  # bytes; with less, no image of usual size can be read
_replaced: list[Any] = []  # what handled SIGPROF before the first of the runs under way, for each
_CONTROL = Path("/sys/fs/cgroup")
_CONTROL_GROUPS = (  # version 2, version 1: the most, what is used, and by what
    ("memory.max", "memory.current", "memory.stat"),
    (
        "memory/memory.limit_in_bytes",
        "memory/memory.usage_in_bytes",
        "memory/memory.stat",
    ),
)
_ENDLESS = 1 << 62  # what "max" or absurdly high limits of a container mean


@dataclass(frozen=True, slots=True)
class Limits:
    """*memory*: bytes that a command may allocate, over all its workers, 0 for any number;
    *seconds*: computing time that an item may take, 0 for any.
    """

    memory: int = 0
    seconds: float = 0.0


class ItemTooLongError(BaseException):
    """An item took longer than allowed; no ``except Exception`` on the way may swallow it."""


_current: ContextVar[Limits | None] = ContextVar("segprep_limits", default=None)


def current() -> Limits:
    """The limits that hold now."""
    return _current.get() or Limits()


def adopt(limits: Limits) -> None:
    """Let *limits* hold in this process, a worker, from now on."""
    _current.set(limits)
    hold_memory(limits.memory)


@contextmanager
def limited(*, memory: int | None = None, seconds: float | None = None) -> Iterator[None]:
    """Let an item take *memory* bytes and *seconds* of computing time at most; None: as before."""
    before, limit = current(), _data_limit()
    token = _current.set(
        replace(
            before,
            memory=before.memory if memory is None else memory,
            seconds=before.seconds if seconds is None else seconds,
        )
    )
    try:
        if memory is not None:
            hold_memory(memory)
        yield
    finally:
        _current.reset(token)
        if limit is not None:
            _set_data_limit(limit)


def available() -> int:
    """The bytes of memory that this process could still have: of the machine, or of its container,
    whichever is less; 0 where the system does not tell.
    """
    sizes = [size for size in (_machine(), _container()) if 0 < size < _ENDLESS]
    return min(sizes, default=0)


def default_memory() -> int:
    """The bytes that a command may allocate if nothing else is said; 0 where nobody knows."""
    return max(LEAST, int(SHARE * available())) if available() else 0


def hold_memory(amount: int) -> None:
    """Let this process allocate *amount* bytes more than it has now, and none beyond: what asks
    for more gets a MemoryError. 0 changes nothing.
    """
    if amount and sys.platform == "linux":
        _set_data_limit(_allocated() + amount)


@contextmanager
def timing(seconds: float) -> Iterator[float]:
    """Let :func:`begin_item` limit items for the time of a run; the seconds to give it, 0 where
    time cannot be limited here.
    """
    main = threading.current_thread() is threading.main_thread()
    if not seconds or not main or not hasattr(signal, "setitimer"):
        yield 0.0
        return
    handler = signal.signal(signal.SIGPROF, _raise)
    before = _replaced[0] if _replaced else handler
    _replaced.append(before)
    try:
        yield seconds
    finally:
        _replaced.pop()  # runs may end in any order
        _timer.end()
        signal.signal(signal.SIGPROF, _raise if _replaced else before)


class _Timer:
    """The timer of computing time. It is set for many short items at once: to a hundredth more than
    an item may take, and again when an item begins later than that hundredth after it was *set*.
    *running*: whether an item is under way.
    """

    def __init__(self) -> None:
        self.set, self.running = -float("inf"), False

    def begin(self, seconds: float, again: float = 0.0) -> None:
        """Let the timer end *seconds* after an item began, and every *again* seconds then."""
        self.running, now = True, time.monotonic()
        if not 0 <= now - self.set <= _SLACK * seconds:
            self.set = now
            signal.setitimer(signal.ITIMER_PROF, (1 + _SLACK) * seconds, again)

    def end(self) -> None:
        """Let it end never."""
        self.set, self.running = -float("inf"), False
        signal.setitimer(signal.ITIMER_PROF, 0)


_SLACK = 0.01
_timer = _Timer()


def begin_item(seconds: float) -> None:
    """Raise ItemTooLongError in the main thread after *seconds* of computing time, and again every
    second, until :func:`end_item`; one call into a C library is not interrupted.
    """
    _timer.begin(seconds, 1.0)


def end_item() -> None:
    """End what :func:`begin_item` began."""
    _timer.running = False


@contextmanager
def deadly(seconds: float) -> Iterator[Callable[[], object]]:
    """In a worker: end the process, whatever it is doing, when an item takes more than *seconds* of
    computing time; what it gives is called as each of them begins.
    """
    if not seconds or not hasattr(signal, "setitimer"):
        yield lambda: None
        return
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    timer = _Timer()
    try:
        yield partial(timer.begin, seconds)
    finally:
        timer.end()


def _raise(signum: int, frame: object) -> None:
    _timer.set = -float("inf")
    if _timer.running:
        raise ItemTooLongError


def _machine() -> int:
    with suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/meminfo").read_text("ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) << 10
    with suppress(OSError, ValueError, AttributeError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return 0


def _container() -> int:
    """What the control group of a container leaves; 0 without one. Files that it holds in memory
    count as free: the system lets them go first.
    """
    for names in _CONTROL_GROUPS:
        most, used, parts = (_CONTROL / name for name in names)
        with suppress(OSError, ValueError):
            free = int(most.read_text("ascii")) - int(used.read_text("ascii"))
            return max(1, free + _cached(parts))
    return 0


def _cached(parts: Path) -> int:
    """The bytes of files that a control group holds in memory."""
    with suppress(OSError, ValueError):
        sizes = dict(line.split() for line in parts.read_text("ascii").splitlines())
        inner = "total_" if "total_inactive_file" in sizes else ""  # groups below it, too
        return sum(int(sizes.get(f"{inner}{kind}_file", 0)) for kind in ("active", "inactive"))
    return 0


def _allocated() -> int:
    """The bytes that count against RLIMIT_DATA."""
    with suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/self/status").read_text("ascii", "replace").splitlines():
            if line.startswith("VmData:"):
                return int(line.split()[1]) << 10
    return 0


def _data_limit() -> int | None:
    """The soft limit of this process, or None where there is no such thing."""
    if sys.platform != "linux":
        return None
    import resource

    return resource.getrlimit(resource.RLIMIT_DATA)[0]


def _set_data_limit(limit: int) -> None:
    if sys.platform != "linux":
        return
    import resource

    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    unlimited = resource.RLIM_INFINITY
    if hard != unlimited:
        limit = hard if limit == unlimited else min(limit, hard)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
