"""Dask's workers: killed, lost, in threads, elsewhere, of another version."""

import sys

import pytest
from cluster_scripts import ran, running, script

pytest.importorskip("distributed", reason="the extra dask is not installed")

KILLED = """
def slowly(number):
    until = time.thread_time() + 0.003  # work: chunks would hold many that only wait
    while time.thread_time() < until:
        pass
    if number % 100 == 7:
        raise SourceError(Path(f"{number}.json"), "is bad")
    return number, os.getpid()

if __name__ == "__main__":
    with workers() as cluster, Client(cluster) as client, engine.using(Cluster(client)):
        pids, results, before = list(client.run(os.getpid).values()), [], set(client.nthreads())
        for result in engine.run(slowly, range(1000)):
            results.append(result)
            if len(results) == 100:
                os.kill(pids[0], signal.SIGKILL)
                while not set(client.nthreads()) - before:
                    time.sleep(0.1)  # the other would do everything where starting takes long
    values = [r[0] if isinstance(r, tuple) else None for r in results]
    assert values == [None if n % 100 == 7 else n for n in range(1000)]
    failures = [r for r in results if isinstance(r, engine.Failure)]
    assert [f.path for f in failures] == [f"{n}.json" for n in range(7, 1000, 100)]
    worked = {r[1] for r in results if isinstance(r, tuple)}
    print(len(worked - set(pids)) > 0, pids[0] in worked)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="kills a process")
def test_a_worker_killed_in_mid_run_costs_nothing() -> None:
    """Another takes its chunks, one is started in its place, and failures stay values."""
    assert script(KILLED) == "True True\n"


DYING = """
import dask
dask.config.set({"distributed.scheduler.allowed-failures": 1})  # a worker's start takes seconds

def die(number):
    if number == 61:
        time.sleep(10)  # Dask does not start one again that ends right at its start
        os.kill(os.getpid(), signal.SIGKILL)
    return number

if __name__ == "__main__":
    with workers() as cluster, Client(cluster) as client, engine.using(Cluster(client)):
        results = list(engine.run(die, range(120)))
    assert [r for r in results if not isinstance(r, engine.Failure)] == [
        n for n in range(120) if n != 61
    ]
    print(results[61].code, results[61].path)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="kills a process")
def test_an_item_that_kills_every_worker_is_a_failure() -> None:
    assert script(DYING) == "worker-died 61\n"


LEFT_ALONE = """
from segprep import cluster

if __name__ == "__main__":
    cluster.ALONE = 2
    with workers() as local, Client(local) as client, engine.using(Cluster(client)):
        results = engine.run(time.sleep, [0.01] * 2000)
        next(results)
        local.scale(0)
        try:
            list(results)
        except SegprepError as error:
            print(error.code, error.message)
"""


def test_a_cluster_without_workers_is_not_waited_for_forever() -> None:
    assert script(LEFT_ALONE) == "cluster-unusable no worker has been left for 2 seconds\n"


LOST = """
from functools import partial
from segprep.cluster import connected

def lose(process, number):
    if number == 50:
        os.kill(process, signal.SIGKILL)
        time.sleep(60)
    return number

if __name__ == "__main__":
    with connected(sys.argv[1]) as reached, engine.using(reached):
        try:
            list(engine.run(partial(lose, int(sys.argv[2])), range(200)))
        except SegprepError as error:
            print(error.code, error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="kills a process")
def test_a_lost_scheduler_is_an_error_and_no_traceback() -> None:
    with running() as (address, process):
        done = ran(LOST, address, process)
    assert done.stdout == "cluster-unusable the scheduler was lost\n"
    assert "Traceback" not in done.stderr


LOST_LONG_AGO = """
from segprep import cluster

if __name__ == "__main__":
    cluster.WAIT = 1
    with cluster.connected(sys.argv[1]) as reached, engine.using(reached):
        results = engine.run(abs, range(4000))
        next(results)
        os.kill(int(sys.argv[2]), signal.SIGKILL)
        while reached.client.status != "closed":
            time.sleep(0.1)
        for rest in (results, engine.run(abs, range(4000))):
            try:
                list(rest)
            except SegprepError as error:
                print(error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="kills a process")
def test_a_scheduler_that_was_lost_unnoticed_is_an_error() -> None:
    """While the results that had come were worked on, Dask gave up waiting for it."""
    with running() as (address, process):
        assert script(LOST_LONG_AGO, address, process) == "the scheduler was lost\n" * 2


JUST_KILLED = """
if __name__ == "__main__":
    with workers() as cluster, Client(cluster) as client, engine.using(Cluster(client)):
        os.kill(list(client.run(os.getpid).values())[0], signal.SIGKILL)
        assert list(engine.run(abs, range(100))) == list(range(100))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="kills a process")
def test_a_worker_killed_as_a_run_begins_costs_nothing() -> None:
    script(JUST_KILLED)


UNSHARED = """
import tempfile
from dataclasses import dataclass

@dataclass(frozen=True)
class Task:
    out: Path
    def __call__(self, path):
        return str(path)

def blind(cluster, folder):
    "What a worker sees that does not mount *folder*: here, its Python's os.stat fails."
    def install(dask_worker=None):
        real = os.stat
        def stat(path, *rest, **options):
            if str(path).startswith(folder):
                raise FileNotFoundError(path)
            return real(path, *rest, **options)
        os.stat = stat
    Client(cluster).run(install)

if __name__ == "__main__":
    folder = tempfile.mkdtemp()
    file = Path(folder, "a")
    file.write_text("x")
    with workers() as cluster, Client(cluster) as client, engine.using(Cluster(client)):
        assert list(engine.run(Task(Path(folder)), [file] * 50)) == [str(file)] * 50
        assert os.listdir(folder) == ["a"]
        blind(cluster, folder)
        away = Path(tempfile.mkdtemp())
        for task, item in ((abs, file), (Task(Path(folder)), "stem"), (Task(away), "stem")):
            try:
                list(engine.run(task, [item] * 50))
                print("done")
            except SegprepError as error:
                print(error.code, "does not see" in str(error), "same path" in error.hint)
        os.chdir(folder)
        try:
            list(engine.run(abs, range(50)))
        except SegprepError as error:
            print(error.code, "a folder that all of them have" in error.hint)
"""


def test_storage_that_is_not_shared_is_refused_before_the_first_item() -> None:
    """Be it that of the first item, of a folder that the command names, or the one it runs in."""
    seen = "cluster-unusable True True\n"
    assert script(UNSHARED) == f"{seen}{seen}done\ncluster-unusable True\n"


TURNS = """
def together(number):
    sys.inside = getattr(sys, "inside", 0) + 1
    time.sleep(0.002)
    inside, sys.inside = sys.inside, sys.inside - 1
    return inside

if __name__ == "__main__":
    with (
        LocalCluster(1, threads_per_worker=4, dashboard_address=None) as cluster,
        Client(cluster) as client,
        engine.using(Cluster(client)),
    ):
        print({*engine.run(together, range(300))})
"""


def test_threads_of_a_worker_take_turns() -> None:
    """A process has one working folder, and readers keep their latest picture in it."""
    assert script(TURNS) == "{1}\n"


OTHER_VERSIONS = """
def break_it(dask_worker=None):
    sys.modules["segprep.shared_storage"] = None

def age(dask_worker=None):
    import segprep.shared_storage
    segprep.shared_storage.__version__ = "0.0.1"

if __name__ == "__main__":
    with workers() as cluster, Client(cluster) as client, engine.using(Cluster(client)):
        for change in (age, break_it):
            client.run(change)
            try:
                list(engine.run(abs, range(50)))
            except SegprepError as error:
                print(error.code, str(error).partition(" has ")[2] or str(error), error.hint)
"""


def test_a_worker_with_another_segprep_or_none_is_refused() -> None:
    other, none = script(OTHER_VERSIONS).splitlines()
    assert other.startswith("cluster-unusable segprep 0.0.1 on Python 3.")
    assert "cannot run this segprep" in none
    assert none.endswith("install the same versions everywhere")


SILENT = """
import socket
from segprep import cluster

if __name__ == "__main__":
    cluster.WAIT = 1
    with socket.create_server(("127.0.0.1", 0)) as server:
        try:
            with cluster.connected(f"tcp://127.0.0.1:{server.getsockname()[1]}"):
                pass
        except SegprepError as error:
            print(error.code, error)
"""


def test_something_else_than_a_scheduler_is_not_waited_for_forever() -> None:
    """Such as the dashboard, whose port is 8787 and not 8786."""
    assert "is no scheduler (8787 is the dashboard's port)" in script(SILENT)


OWN_WORKERS = """
import warnings
from segprep import cluster

if __name__ == "__main__":
    warnings.simplefilter("error", UserWarning)  # a taken port is not worth one
    with cluster.connected(jobs=1) as own, cluster.connected(jobs=1):
        print(own.client.cluster.scheduler.http_server.address)
"""


def test_workers_of_this_machine_listen_to_this_machine_alone() -> None:
    assert script(OWN_WORKERS) == "127.0.0.1\n"
