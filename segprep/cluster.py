"""Dask as the executor: the same functions over the same items, on the workers of a cluster.

Source and output lie on storage that all workers share under the same paths; that is tried before
the first item goes out. Dask hands the chunks of a lost worker to another one. What chunks are
made of, and the order of their results, do not depend on the cluster, so neither does the output.
"""

import asyncio
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic

from segprep import engine, shared_storage
from segprep.chunks import Chunks, Timed
from segprep.engine import Failure, Input, Job, Output
from segprep.errors import SegprepError, require

if TYPE_CHECKING:
    from distributed import Client, Future, LocalCluster

SECONDS = 0.25  # of work in a chunk: a hundred times what Dask takes to hand it over
WAIT = 30  # seconds for a scheduler to answer, and for the first worker to appear
ALONE = 300  # seconds without any worker, after which no other one is waited for
_TURN = threading.Lock()  # of the threads of a worker: one folder and much else are the process's


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
            shared_storage.refuse_differences(self.client, job, items)
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
    """*job* in the *folder* in which the command was given, to which paths may be relative.

    Threads of a worker take turns: a process has one folder, and the latest picture that readers
    keep is not theirs alone.
    """

    job: Job[Input, Output]
    folder: str

    def __call__(self, chunk: Sequence[Input]) -> "Timed[Output | Failure]":
        with _TURN:
            if os.getcwd() != self.folder:
                os.chdir(self.folder)
            return self.job(chunk)


@contextmanager
def connected(scheduler: str | None = None, *, jobs: int = 1) -> Iterator[Cluster]:
    """The cluster of the *scheduler* at an address such as ``tcp://host:8786``; without one, a
    cluster of *jobs* worker processes on this machine, which ends with this context.

    Raises MissingExtraError without the extra ``dask``; SegprepError where nobody answers.
    """
    require("--engine dask", "distributed", "dask")
    from distributed import Client

    for part in ("client", "batched", "comm"):  # a lost scheduler is told as an error
        logging.getLogger(f"distributed.{part}").setLevel(logging.CRITICAL)
    if scheduler is None:
        with _workers_here(jobs) as local, Client(local) as client:
            yield Cluster(client)
        return
    try:
        asyncio.run(_greeted(scheduler))
        client = Client(scheduler, timeout=WAIT)
    except (OSError, ValueError) as error:
        raise SegprepError(
            "cluster-unusable",
            f"no scheduler answers at {scheduler}: {error}",
            "start one with: dask scheduler; and give the address that it prints",
        ) from error
    with client:
        yield Cluster(client)


def _workers_here(jobs: int) -> "LocalCluster":
    """*jobs* worker processes on this machine; whoever listens, listens to this machine alone.

    Raises SegprepError where they cannot start.
    """
    from distributed import LocalCluster

    try:
        return LocalCluster(
            jobs,
            threads_per_worker=1,
            dashboard_address="127.0.0.1:0",  # any free port; with None it is 8787 of every network
            scheduler_kwargs={"dashboard": False},
        )
    except RuntimeError as error:
        raise SegprepError(
            "cluster-unusable",
            f"the workers could not start: {error}",
            "use --engine local; in a script, put the call below  if __name__ == '__main__':",
        ) from error


async def _greeted(address: str) -> None:
    """Return once a scheduler answers at *address*. Dask's client would wait for ever for whatever
    else accepts a connection there, such as the page of a dashboard. Raises OSError, ValueError.
    """
    from distributed import Security
    from distributed.comm import connect

    how = Security().get_connection_args("client")
    try:
        reached = await asyncio.wait_for(connect(address, timeout=WAIT, **how), WAIT + 1)
    except TimeoutError as error:
        raise OSError(
            "what answers there is no scheduler (8787 is the dashboard's port)"
        ) from error
    reached.abort()
