"""Dask as the executor: the same functions over the same items, on the workers of a cluster.

Source and output lie on storage that all workers share under the same paths; that is tried before
the first item goes out. Dask hands the chunks of a lost worker to another one. What chunks are
made of, and the order of their results, do not depend on the cluster, so neither does the output.
"""

import logging
import os
import platform
import secrets
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic

from segprep import engine
from segprep._version import __version__
from segprep.chunks import Chunks, Timed
from segprep.engine import Failure, Input, Job, Output
from segprep.errors import SegprepError, require

if TYPE_CHECKING:
    from distributed import Client, Future

SECONDS = 0.25  # of work in a chunk: a hundred times what Dask takes to hand it over
WAIT = 30  # seconds for a scheduler to answer, and for the first worker to appear
ALONE = 300  # seconds without any worker, after which no other one is waited for
PROBE = ".segprep-probe-"


@dataclass(frozen=True, slots=True)
class Cluster:
    """The workers that *client* reaches."""

    client: "Client"

    def run(
        self, job: Job[Input, Output], items: Sequence[Input], *, chunk: int
    ) -> Iterator[Output | Failure]:
        """What *job* makes of *items*, in order. Raises SegprepError where the workers cannot do
        the same as this process, or are lost.
        """
        with _scheduler_needed():
            threads = self._threads()
            self._refuse_differences(job, items)
        task, chunks = _Task(job, os.getcwd()), Chunks(items, chunk, seconds=SECONDS)
        running: deque[tuple[Sequence[Input], Future]] = deque()
        try:
            while True:
                while len(running) < 4 * threads and (part := chunks.next()):
                    with _scheduler_needed():
                        running.append((part, self.client.submit(task, part, pure=False)))
                if not running:
                    return
                part, future = running.popleft()
                timed = self._result(task, part, future, [other for _, other in running])
                chunks.took(len(part), timed.seconds)
                yield from timed.results
        finally:
            with suppress(*_lost()):  # then there is nothing left to cancel
                self.client.cancel([future for _, future in running])

    def _threads(self) -> int:
        """How many chunks can be worked at once. Raises SegprepError where there is no worker."""
        from distributed.client import ClosedClientError

        if self.client.status == "closed":  # then Dask raises whatever comes
            raise ClosedClientError
        try:
            self.client.wait_for_workers(1, timeout=WAIT)
        except TimeoutError as error:
            raise SegprepError(
                "cluster-unusable",
                f"no worker joined the scheduler within {WAIT} seconds",
                "start workers: dask worker ADDRESS --nthreads 1",
            ) from error
        threads: int = sum(self.client.nthreads().values())
        return max(1, threads)

    def _refuse_differences(self, job: Job[Input, Output], items: Sequence[Input]) -> None:
        """Raise SegprepError unless every worker runs this segprep, sees the first item's file as
        this process does, and sees what this process writes to the output.
        """
        file = os.path.abspath(engine.name_of(items[0]))
        folder = _output(job.function)
        with _probe(folder) as probe:
            mine = _Sight.of(file, probe)
            sights = self.client.run(_Sight.of, file, probe, on_error="return")
        for address, theirs in sights.items():
            if isinstance(theirs, OSError):
                continue  # it ended meanwhile
            if isinstance(theirs, Exception):
                raise theirs
            if theirs != mine:
                raise _difference(address, mine, theirs, file, folder)

    def _result(
        self,
        task: "_Task[Input, Output]",
        part: Sequence[Input],
        future: "Future",
        others: Sequence["Future"],
    ) -> "Timed[Output | Failure]":
        """What *future* gives; where workers end over it, each of its items is tried by itself.

        Dask blames whatever waits on a worker that ends, so the *others* have to be done before.
        """
        from distributed import KilledWorker

        with _scheduler_needed():
            try:
                timed: Timed[Output | Failure] = self._awaited(future)
                return timed
            except KilledWorker:
                for other in others:
                    with suppress(Exception):  # whatever it failed of is told in its turn
                        self._awaited(other)
            results: list[Output | Failure] = []
            for item in part:
                try:
                    again = self.client.submit(task, [item], pure=False)
                    results += self._awaited(again).results
                except KilledWorker:
                    results.append(engine.killed(item))
            return Timed(results, seconds=0.0)

    def _awaited(self, future: "Future") -> Any:
        """What *future* gives. Raises SegprepError where no worker has been left for a while: Dask
        starts one again in place of each that ends, but not of one that ends right at its start.
        """
        last = time.monotonic()
        while True:
            try:
                return future.result(timeout=min(WAIT, ALONE))
            except TimeoutError:
                if future.status == "error":  # it is the job's own
                    raise
            if self.client.nthreads():
                last = time.monotonic()
            elif time.monotonic() - last >= ALONE:
                raise SegprepError(
                    "cluster-unusable",
                    f"no worker has been left for {ALONE} seconds",
                    "start workers, and re-run the command; a conversion resumes",
                )


@contextmanager
def _scheduler_needed() -> Iterator[None]:
    """Raise SegprepError where the scheduler is lost meanwhile."""
    try:
        yield
    except _lost() as error:
        raise SegprepError(
            "cluster-unusable",
            "the scheduler was lost",
            "start it again and re-run the command; a conversion resumes",
        ) from error


def _lost() -> tuple[type[Exception], ...]:
    """What Dask raises without a scheduler; the last of them after half a minute, which may have
    passed unnoticed.
    """
    from distributed import CancelledError
    from distributed.client import ClosedClientError
    from distributed.comm import CommClosedError

    return CancelledError, CommClosedError, ClosedClientError


@dataclass(frozen=True, slots=True)
class _Task(Generic[Input, Output]):
    """*job* in the *folder* in which the command was given, to which paths may be relative."""

    job: Job[Input, Output]
    folder: str

    def __call__(self, chunk: Sequence[Input]) -> "Timed[Output | Failure]":
        if os.getcwd() != self.folder:
            os.chdir(self.folder)
        return self.job(chunk)


@dataclass(frozen=True, slots=True)
class _Sight:
    """What a process sees: its segprep and Python, size and time of a file, the probe's content."""

    versions: tuple[str, str]
    file: tuple[int, int] | None
    probe: bytes | None

    @classmethod
    def of(cls, file: str, probe: str | None) -> "_Sight":
        """What this process sees of *file* and of the *probe*."""
        state = content = None
        with suppress(OSError):
            status = os.stat(file)
            state = (status.st_size, status.st_mtime_ns)
        with suppress(OSError):
            content = Path(probe).read_bytes() if probe else None
        versions = (__version__, ".".join(platform.python_version_tuple()[:2]))
        return cls(versions, state, content)


def _output(function: Any) -> Path | None:
    """The folder that *function* writes to, if it does and the folder is there."""
    hidden = getattr(getattr(function, "box", None), "hidden", None)
    folder = hidden or getattr(function, "out", None)
    writes = getattr(function, "write", True)
    return folder if writes and isinstance(folder, Path) and folder.is_dir() else None


@contextmanager
def _probe(folder: Path | None) -> Iterator[str | None]:
    """A file in *folder* that workers have to see, while this lasts; None without a folder."""
    if folder is None:
        yield None
        return
    path = folder.absolute() / f"{PROBE}{secrets.token_hex(4)}"
    path.write_bytes(secrets.token_bytes(16))
    try:
        yield str(path)
    finally:
        path.unlink(missing_ok=True)


def _difference(
    address: str, mine: _Sight, theirs: _Sight, file: str, folder: Path | None
) -> SegprepError:
    """Why the worker at *address* cannot do this process's work."""
    if mine.versions != theirs.versions:
        worker, other = (
            "segprep {} on Python {}".format(*sight.versions) for sight in (theirs, mine)
        )
        reason = f"the worker {address} has {worker}, this process {other}"
        return SegprepError("cluster-unusable", reason, "install the same versions everywhere")
    wrong = file if mine.file != theirs.file else folder
    return SegprepError(
        "cluster-unusable",
        f"the worker {address} does not see {wrong} as this process does",
        "put source and output on storage that all machines mount under the same path",
    )


@contextmanager
def connected(scheduler: str | None = None, *, jobs: int = 1) -> Iterator[Cluster]:
    """The cluster of the *scheduler* at an address such as ``tcp://host:8786``; without one, a
    cluster of *jobs* worker processes on this machine, which ends with this context.

    Raises MissingExtraError without the extra ``dask``; SegprepError where nobody answers.
    """
    require("--engine dask", "distributed", "dask")
    from distributed import Client, LocalCluster

    for part in ("client", "batched", "comm"):  # a lost scheduler is told as an error
        logging.getLogger(f"distributed.{part}").setLevel(logging.CRITICAL)
    if scheduler is None:
        with (
            LocalCluster(jobs, threads_per_worker=1, dashboard_address=None) as local,
            Client(local) as client,
        ):
            yield Cluster(client)
        return
    try:
        client = Client(scheduler, timeout=WAIT)
    except (OSError, ValueError) as error:
        raise SegprepError(
            "cluster-unusable",
            f"no scheduler answers at {scheduler}: {error}",
            "start one with: dask scheduler; and give the address that it prints",
        ) from error
    with client:
        yield Cluster(client)
