"""Worker processes: how they begin, and how a pool of them ends.

They die with their parent. They are forked where that is safe (Linux, a parent of one thread) and
spawned elsewhere, which costs each a fresh start and its imports.
"""

import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from segprep import limits
from segprep.errors import SegprepError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

AHEAD = 3  # requests that a worker has at once, so that it need not wait for the next
PIPE = 1 << 18  # bytes that a pipe should hold
_PAGE = 4096
_ENDING = {signal.SIGINT, signal.SIGTERM}
Element = TypeVar("Element")


def keep_memory() -> None:
    """Let the C library keep freed blocks of image size for the next image: a seventh of the CPU
    time went into page faults.

    glibc only (mallopt's M_TRIM_THRESHOLD and M_MMAP_THRESHOLD); elsewhere nothing happens.
    """
    if sys.platform == "linux":
        import ctypes

        tune = getattr(ctypes.CDLL(None), "mallopt", None)
        if tune is not None:
            tune(-1, 256 << 20)
            tune(-3, 64 << 20)


def usable_cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(eq=False)
class Request:
    """A pickled job that a worker is asked for; *exit_code* is that of the worker that ended over
    it, negative for a signal.
    """

    job: bytes
    answered: bool = False
    answer: Any = None
    error: BaseException | None = None
    exit_code: int | None = None


class WorkerPool:
    """At most *count* processes, each with two pipes of its own and no lock: one that is killed, at
    whatever moment, stops neither the others nor this process. They start when there is work.

    Python's own pool shares its pipes and their locks: it waits for ever where a worker is killed
    in the middle of an answer, or while the pool ends.
    """

    def __init__(self, count: int) -> None:
        own = limits.current()
        self._count, self._limits = count, replace(own, memory=own.memory // count)
        self._workers: list[_Worker] = []
        self._waiting: deque[Request] = deque()

    def start(self) -> None:
        """Raise SegprepError where processes cannot start."""
        if single_threaded():
            return
        request = self.submit(len, "")
        self.result(request)
        if request.exit_code is not None and request.exit_code >= 0:  # not killed from outside
            hint = (
                "put the call below  if __name__ == '__main__':  (Python starts workers by"
                " importing the script), or give jobs=1"
            )
            raise SegprepError(
                "workers-cannot-start", "the worker processes ended before their first item", hint
            )

    def submit(self, job: Callable[[Element], object], element: Element) -> Request:
        """Ask for ``job(element)``; both are pickled."""
        from multiprocessing.reduction import ForkingPickler

        request = Request(bytes(ForkingPickler.dumps((job, element))))
        self._waiting.append(request)
        self._hand_out()
        return request

    def result(self, request: Request) -> Any:
        """Wait for the answer to *request*, and keep the workers busy meanwhile: None where its
        worker ended. What the job raised is raised.
        """
        self._receive(at_once=True)
        while not request.answered:
            self._hand_out()
            self._receive()
        self._hand_out()
        if request.error is not None:
            raise request.error
        return request.answer

    def finish(self) -> None:
        """Wait until no worker has anything left to do; what is not handed out stays so."""
        while any(worker.requests for worker in self._workers):
            self._receive()

    def end(self) -> None:
        """End the processes and give up what they are doing."""
        for worker in self._workers:
            worker.process.kill()
        while self._workers:
            self._workers.pop().close()
        self._waiting.clear()

    def _hand_out(self) -> None:
        while self._waiting:
            worker = min(self._workers, key=lambda worker: len(worker.requests), default=None)
            if worker is None or (worker.requests and len(self._workers) < self._count):
                with signals_held():
                    worker = _Worker(self._limits)
                    self._workers.append(worker)
            if not worker.takes(self._waiting[0]):
                return
            worker.ask(self._waiting.popleft())

    def _receive(self, *, at_once: bool = False) -> None:
        """Take an answer of every worker that has one; wait for one unless *at_once*."""
        from multiprocessing.connection import wait

        workers = {worker.answers: worker for worker in self._workers}
        for answers in wait(list(workers), 0 if at_once else None):
            worker = workers[answers]
            try:
                answer, error = worker.answers.recv()
            except (EOFError, OSError):  # also in the middle of an answer
                self._lose(worker)
            else:
                request = worker.requests.popleft()
                request.answered, request.answer, request.error = True, answer, error

    def _lose(self, worker: "_Worker") -> None:
        """Without *worker*, which has ended: its first request may be the reason, the others go to
        another one.
        """
        self._workers.remove(worker)
        worker.close()
        if worker.requests:
            request = worker.requests.popleft()
            request.answered, request.exit_code = True, worker.process.exitcode
        self._waiting.extendleft(reversed(worker.requests))


class _Worker:
    """A process, and the *requests* that it has not answered, in order."""

    def __init__(self, own: limits.Limits) -> None:
        import multiprocessing  # a run of one process, the usual one, needs none of it

        context: Any = multiprocessing.get_context("fork" if single_threaded() else "spawn")
        theirs, self._asked = context.Pipe(duplex=False)
        self.answers, answers = context.Pipe(duplex=False)
        self.requests: deque[Request] = deque()
        self._room = min(_widened(self._asked), _widened(self.answers))
        self.process = context.Process(target=_serve, args=(own, theirs, answers), daemon=True)
        self.process.start()
        theirs.close()  # the worker alone has these ends: without it, there is an end of file
        answers.close()

    def takes(self, request: Request) -> bool:
        """Whether *request* can be handed over without waiting for what the worker is doing."""
        unread = sum(len(other.job) + 2 * _PAGE for other in (*self.requests, request))
        return not self.requests or (len(self.requests) < AHEAD and unread <= self._room)

    def ask(self, request: Request) -> None:
        """Hand *request* over; a worker that has ended is noticed by its answers."""
        self.requests.append(request)
        with suppress(BrokenPipeError):
            self._asked.send_bytes(request.job)

    def close(self) -> None:
        """End the process, if it has not ended."""
        self.process.kill()
        self.process.join()
        self._asked.close()
        self.answers.close()


def _widened(pipe: "Connection") -> int:
    """How many bytes *pipe* holds, after asking the system for more."""
    if sys.platform != "linux":
        return _PAGE
    import fcntl

    with suppress(OSError):
        fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, PIPE)
    return fcntl.fcntl(pipe.fileno(), fcntl.F_GETPIPE_SZ)


def _serve(own: limits.Limits, asked: "Connection", answers: "Connection") -> None:
    """In a worker: answer with (result, None) or (None, exception), until there is nobody."""
    _begin(own)
    while True:
        try:
            job, element = asked.recv()
        except EOFError:
            return
        answer, failure = None, None
        try:
            answer = job(element)
        except Exception as error:  # whatever the fault: it is the answer, told by who asked
            failure = error
        try:
            answers.send((answer, failure))
        except (MemoryError, BrokenPipeError):
            os._exit(1)  # the parent tries each item by itself, or has ended


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
    import multiprocessing

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
