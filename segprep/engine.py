"""Map a picklable function over items, serially or in worker processes: order kept, failures are
values.

A worker that is killed loses only its chunk, whose items are then tried one by one; one that kills
its worker twice becomes a Failure. Workers die with their parent. They are forked where that is
safe (Linux, a parent of one thread) and spawned elsewhere, which costs each a fresh start and its
imports.
"""

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

from segprep.errors import SegprepError, SourceError

REPORT = "please report it, with the traceback that --verbose prints; --on-error skip leaves it out"
WORTH_A_WORKER = 40  # items; starting a process takes as long as converting about that many
Input = TypeVar("Input")
Output = TypeVar("Output")


@dataclass(frozen=True, slots=True)
class Failure:
    """Why one item gave no result; *detail* is a traceback where segprep itself is at fault."""

    code: str
    path: str
    reason: str
    hint: str = ""
    foreign: bool = False
    detail: str = ""


@dataclass(frozen=True, slots=True)
class _Job(Generic[Input, Output]):
    """What a worker runs: the function over a chunk."""

    function: Callable[[Input], Output]

    def __call__(self, chunk: Sequence[Input]) -> list[Output | Failure]:
        return [_attempt(self.function, item) for item in chunk]


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


def _attempt(function: Callable[[Input], Output], item: Input) -> Output | Failure:
    try:
        return function(item)
    except SourceError as error:
        cause = error.__cause__ if error.code == "reader-crashed" else None
        detail = "".join(traceback.format_exception(cause)) if cause else ""
        foreign = error.code == "other-json"
        return Failure(error.code, str(error.path), error.reason, error.hint, foreign, detail)
    except MemoryError:
        return Failure(
            "worker-died", _name(item), "not enough memory", "free memory, or use fewer --jobs"
        )
    except (SegprepError, OSError):
        raise  # the call as a whole cannot go on: a wrong option, a full disk
    except Exception as error:  # one bad file must not stop the others, whatever the fault
        detail = "".join(traceback.format_exception(error))
        return Failure("reader-crashed", _name(item), crash_reason(error), REPORT, detail=detail)


def crash_reason(error: BaseException) -> str:
    """What a person sees of an exception that nobody foresaw."""
    return f"could not be read, by a fault of segprep ({type(error).__name__}: {error})"


def usable_cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run(
    function: Callable[[Input], Output], items: Sequence[Input], *, jobs: int = 1, chunk: int = 8
) -> Iterator[Output | Failure]:
    """``function(item)`` for every item, in order; a SourceError becomes a Failure in its place.

    *function* and the items must be picklable when *jobs* > 1. At most 4 chunks per worker are
    under way, so memory does not grow with the number of items.
    """
    jobs = min(jobs, len(items) // WORTH_A_WORKER)
    if jobs <= 1:
        keep_memory()
        for item in items:
            yield _attempt(function, item)
        return
    waiting = iter([items[start : start + chunk] for start in range(0, len(items), chunk)])
    job = _Job(function)
    pool = _started(jobs)
    running: deque[tuple[Sequence[Input], Future[list[Output | Failure]]]] = deque()
    try:
        running.extend((part, pool.submit(job, part)) for part in islice(waiting, 4 * jobs))
        while running:
            part, future = running.popleft()
            try:
                yield from future.result()
            except BrokenProcessPool:
                pool.shutdown(wait=False, cancel_futures=True)
                yield from _one_by_one(job, part)
                pool = _pool(jobs)
                running = deque(
                    (rest, old if _finished(old) else pool.submit(job, rest))
                    for rest, old in running
                )
            running.extend((part, pool.submit(job, part)) for part in islice(waiting, 1))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _finished(future: "Future[list[Output | Failure]]") -> bool:
    return future.done() and not future.cancelled() and future.exception() is None


def _one_by_one(job: "_Job[Input, Output]", part: Sequence[Input]) -> Iterator[Output | Failure]:
    """Every item of a lost chunk in a worker of its own, two times at most."""
    for item in part:
        for attempt in (1, 2):
            pool = _pool(1)
            try:
                yield pool.submit(job, [item]).result()[0]
                break
            except BrokenProcessPool:
                if attempt == 2:
                    yield Failure(
                        "worker-died",
                        _name(item),
                        "the worker process was killed twice while it read this file",
                        "it may need more memory than there is",
                    )
            finally:
                pool.shutdown(wait=False, cancel_futures=True)


def _name(item: object) -> str:
    item = getattr(item, "item", item)
    labels = getattr(item, "labels", ())
    return str(labels[0] if labels else item)


def _pool(workers: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(
        workers,
        multiprocessing.get_context("fork" if _single_threaded() else "spawn"),
        initializer=_begin,
    )


def _started(workers: int) -> ProcessPoolExecutor:
    """A pool that answers. Raises SegprepError where its processes cannot start."""
    pool = _pool(workers)
    if not _single_threaded():
        try:
            pool.submit(usable_cores).result()
        except BrokenProcessPool as error:
            pool.shutdown(wait=False, cancel_futures=True)
            hint = (
                "put the call below  if __name__ == '__main__':  (Python starts workers by"
                " importing the script), or give jobs=1"
            )
            raise SegprepError(
                "workers-cannot-start", "the worker processes ended before their first item", hint
            ) from error
    return pool


def _single_threaded() -> bool:
    """Whether this process certainly has one thread only (threads of C libraries count): then
    forking it is safe.
    """
    try:
        return sys.platform == "linux" and len(os.listdir("/proc/self/task")) == 1
    except OSError:
        return False


def _begin() -> None:
    """In a worker: leave Ctrl-C to the parent, and end as soon as the parent does."""
    keep_memory()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "SIGTERM"):
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
