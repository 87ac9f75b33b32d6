"""Map a picklable function over items, serially or in worker processes: order kept, failures are
values.

When a worker is killed, the items under way are tried one by one; one that kills its worker twice,
or takes longer than the limits allow, becomes a Failure. Where limits hold, even a few items go to
a worker if it can be forked: no other process can be stopped in the middle of a call into C.
"""

import os
import signal
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from segprep import limits, worker_processes
from segprep.chunks import Chunks, Timed
from segprep.errors import SegprepError, SourceError
from segprep.files import open_folders
from segprep.worker_processes import Request, WorkerPool

REPORT = "please report it, with the traceback that --verbose prints; --on-error skip leaves it out"
TOO_MUCH = "needs more memory than is available, or than --max-memory allows"
MORE_MEMORY = "check that the file is genuine; then raise --max-memory, or use fewer --jobs"
WORTH_A_WORKER = 40  # items; starting a process takes as long as converting about that many
SECONDS = 0.02  # of work in a chunk: a hundred times what handing it over takes
WAITING = 0.1  # of the time that passes counts as work: a busy machine must not make chunks short
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
class Job(Generic[Input, Output]):
    """What a worker runs: the function over a chunk."""

    function: Callable[[Input], Output]
    seconds: float = 0.0

    def __call__(self, chunk: Sequence[Input]) -> Timed[Output | Failure]:
        """A result or a Failure for every item of *chunk*, in order."""
        began, used = time.monotonic(), time.thread_time()
        with open_folders.remembered(), limits.deadly(self.seconds) as begin_item:
            results = [self._result(item, begin_item) for item in chunk]
        waited = time.monotonic() - began
        return Timed(results, max(time.thread_time() - used, WAITING * waited))

    def _result(self, item: Input, begin_item: Callable[[], object]) -> Output | Failure:
        begin_item()
        return _attempt(self.function, item)


class Executor(Protocol):
    """Something else than processes of this machine that maps a function over items."""

    def run(
        self, job: Job[Input, Output], items: Sequence[Input], *, chunk: int
    ) -> Iterator[Output | Failure]:
        """What *job* makes of *items*, in order; *chunk* items at first go to a worker at once."""


_executor: ContextVar[Executor | None] = ContextVar("segprep_executor", default=None)


@contextmanager
def using(executor: Executor | None) -> Iterator[None]:
    """Whatever runs in this context is mapped by *executor*, whatever its ``jobs``."""
    token = _executor.set(executor)
    try:
        yield
    finally:
        _executor.reset(token)


def _attempt(function: Callable[[Input], Output], item: Input) -> Output | Failure:
    try:
        return function(item)
    except SourceError as error:
        cause = error.__cause__ if error.code == "reader-crashed" else None
        detail = "".join(traceback.format_exception(cause)) if cause else ""
        foreign = error.code == "other-json"
        return Failure(error.code, str(error.path), error.reason, error.hint, foreign, detail)
    except MemoryError:
        return Failure("memory-limit", name_of(item), TOO_MUCH, MORE_MEMORY)
    except (SegprepError, OSError):
        raise  # the call as a whole cannot go on: a wrong option, a full disk
    except Exception as error:  # one bad file must not stop the others, whatever the fault
        detail = "".join(traceback.format_exception(error))
        return Failure("reader-crashed", name_of(item), crash_reason(error), REPORT, detail=detail)


def crash_reason(error: BaseException) -> str:
    """What a person sees of an exception that nobody foresaw."""
    return f"could not be read, by a fault of segprep ({type(error).__name__}: {error})"


def run(
    function: Callable[[Input], Output],
    items: Sequence[Input],
    *,
    jobs: int = 1,
    chunk: int = 8,
    worth: int = WORTH_A_WORKER,
) -> Iterator[Output | Failure]:
    """``function(item)`` for every item, in order; a SourceError becomes a Failure in its place.

    *function* and the items must be picklable when *jobs* > 1. Chunks are *chunk* items at first,
    then about 20 ms of work; at most 4 per worker are under way, so memory does not grow with the
    number of items. A worker starts for every *worth* items.
    """
    set_limits, wanted, executor = limits.current(), jobs, _executor.get()
    if executor is not None and len(items) >= worth:
        yield from executor.run(Job(function), items, chunk=chunk)
        return
    jobs = min(jobs, len(items) // worth)
    if jobs <= 1 and not (
        wanted > 1 and items and set_limits.seconds and worker_processes.single_threaded()
    ):
        worker_processes.keep_memory()
        with open_folders.remembered(), limits.timing(set_limits.seconds) as seconds:
            for item in items:
                yield _attempt_timed(function, item, seconds)
        return
    chunks = Chunks(items, chunk, seconds=SECONDS)
    yield from _in_workers(Job(function, set_limits.seconds), chunks, max(1, jobs))


def _attempt_timed(
    function: Callable[[Input], Output], item: Input, seconds: float
) -> Output | Failure:
    if not seconds:
        return _attempt(function, item)
    try:
        limits.begin_item(seconds)
        try:
            return _attempt(function, item)
        finally:
            limits.end_item()
    except limits.ItemTooLongError:
        return _too_long(item, seconds)


def _in_workers(
    job: Job[Input, Output], chunks: Chunks[Input], jobs: int
) -> Iterator[Output | Failure]:
    """The results of all *chunks* in order, from *jobs* processes."""
    running: deque[tuple[Sequence[Input], Request]] = deque()
    pool = WorkerPool(jobs)
    try:
        pool.start()
        while True:
            while len(running) < 4 * jobs and (part := chunks.next()):
                running.append((part, pool.submit(job, part)))
            if not running:
                break
            part, request = running.popleft()
            timed: Timed[Output | Failure] | None = pool.result(request)
            if timed is None:
                pool.finish()
                yield from _one_by_one(job, part)
            else:
                chunks.took(len(part), timed.seconds)
                yield from timed.results
    finally:
        pool.end()


def _one_by_one(job: Job[Input, Output], part: Sequence[Input]) -> Iterator[Output | Failure]:
    """The results of a lost chunk, each item by itself, two times at most; one that took too long
    is not tried again.
    """
    pool = WorkerPool(1)
    try:
        for item in part:
            for _ in range(2):
                request = pool.submit(job, [item])
                timed: Timed[Output | Failure] | None = pool.result(request)
                if timed is not None:
                    (result,) = timed.results
                    break
                if job.seconds and request.exit_code == -signal.SIGPROF:
                    result = _too_long(item, job.seconds)
                    break
            else:
                result = killed(item)
            yield result
    finally:
        pool.end()


def killed(item: object) -> Failure:
    """The Failure of an item that ended its worker twice."""
    reason = "the worker process was killed twice while it read this file"
    return Failure(
        "worker-died", name_of(item), reason, "it may need more memory than is available"
    )


def _too_long(item: object, seconds: float) -> Failure:
    reason = f"takes more than {seconds:g} seconds of computing time"
    hint = "check that the file is genuine; then raise --max-seconds"
    return Failure("time-limit", name_of(item), reason, hint)


def name_of(item: object) -> str:
    """The file that *item* is about: a path, or that of the item, the pair or the task."""
    for part in item if isinstance(item, tuple | list) else (item,):
        if isinstance(part, str | os.PathLike):
            return os.fspath(part)
        inner = getattr(part, "item", part)
        for key in ("labels", "path", "mask", "image", "source", "stem"):
            if value := getattr(inner, key, None):
                return str(value[0] if isinstance(value, tuple | list) else value)
    return str(item)
