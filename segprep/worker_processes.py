"""Worker processes: how they begin, and how a pool of them ends.

They die with their parent. They are forked where that is safe (Linux, a parent of one thread) and
spawned elsewhere, which costs each a fresh start and its imports.
"""

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import replace

from segprep import limits
from segprep.errors import SegprepError

_ENDING = {signal.SIGINT, signal.SIGTERM}


def keep_memory() -> None:
    """Let the C library keep freed blocks of image size for the next image: a seventh of the CPU
    time went into page faults.

    glibc only (mallopt's M_TRIM_THRESHOLD and M_MMAP_THRESHOLD); elsewhere nothing happens.
    """
    if sys.platform == "linux":
        tune = getattr(ctypes.CDLL(None), "mallopt", None)
        if tune is not None:
            tune(-1, 256 << 20)
            tune(-3, 64 << 20)


def usable_cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def end(processes: ProcessPoolExecutor, *, at_once: bool = False, settle: bool = False) -> None:
    """End a pool of *processes* and wait for its threads: otherwise the interpreter, when it ends,
    may write to pipes that they are just closing. *at_once* gives up the work that is under way;
    *settle* waits a moment for the last thread of a broken pool, so that the next can be forked.
    """
    if at_once:
        for process in list((getattr(processes, "_processes", None) or {}).values()):
            process.kill()
    processes.shutdown(wait=True, cancel_futures=True)
    until = time.monotonic() + 0.5
    while settle and not single_threaded() and time.monotonic() < until:
        time.sleep(0.005)


def pool(workers: int) -> ProcessPoolExecutor:
    """A pool of so many processes, under the limits that hold now."""
    set_limits = limits.current()
    return ProcessPoolExecutor(
        workers,
        multiprocessing.get_context("fork" if single_threaded() else "spawn"),
        initializer=_begin,
        initargs=(replace(set_limits, memory=set_limits.memory // workers),),
    )


def started(workers: int) -> ProcessPoolExecutor:
    """A pool that answers. Raises SegprepError where its processes cannot start."""
    processes = pool(workers)
    if not single_threaded():
        try:
            with signals_held():
                first = processes.submit(usable_cores)
            first.result()
        except BrokenProcessPool as error:
            end(processes)
            hint = (
                "put the call below  if __name__ == '__main__':  (Python starts workers by"
                " importing the script), or give jobs=1"
            )
            raise SegprepError(
                "workers-cannot-start", "the worker processes ended before their first item", hint
            ) from error
    return processes


@contextmanager
def signals_held() -> Iterator[None]:
    """Let SIGINT and SIGTERM wait meanwhile. Python loses the exception of a handler that runs
    between the two sides of a fork, and the run would go on as if nobody had pressed Ctrl-C.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def single_threaded() -> bool:
    """Whether this process certainly has one thread only (threads of C libraries count): then
    forking it is safe.
    """
    try:
        return sys.platform == "linux" and len(os.listdir("/proc/self/task")) == 1
    except OSError:
        return False


def _begin(own: limits.Limits) -> None:
    """In a worker: leave Ctrl-C to the parent, end as soon as the parent does, keep to its *own*
    limits.
    """
    keep_memory()
    limits.adopt(own)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "SIGTERM"):
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
