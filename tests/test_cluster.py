"""Dask as the engine: two worker processes, the same bytes and numbers, workers that die."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from folders import content
from PIL import Image

pytest.importorskip("distributed", reason="the extra dask is not installed")

PREAMBLE = """
import os, signal, sys, time
from distributed import Client, LocalCluster
from segprep import engine
from segprep.cluster import Cluster
from segprep.errors import SegprepError, SourceError
from pathlib import Path

def workers():
    return LocalCluster(2, threads_per_worker=1, dashboard_address=None)
"""


def ran(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """*code*, which may use a cluster of two processes."""
    done = subprocess.run(
        [sys.executable, "-c", PREAMBLE + code, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=1200,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done


def script(code: str, *arguments: object) -> str:
    """What *code* prints."""
    return ran(code, *arguments).stdout


def segprep(*arguments: object, fails: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "segprep_cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=1200,
    )
    assert done.returncode == fails, done.stderr[-3000:]
    return done


@contextmanager
def running() -> Iterator[tuple[str, int]]:
    """The address of a scheduler with two worker processes, and the process that it lives in."""
    code = (
        "import sys\nfrom distributed import LocalCluster\n"
        "if __name__ == '__main__':\n"
        "    with LocalCluster(2, threads_per_worker=1, dashboard_address=None) as cluster:\n"
        "        print(cluster.scheduler_address, flush=True)\n"
        "        sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout
    assert process.stdin
    try:
        yield process.stdout.readline().strip(), process.pid
    finally:
        process.stdin.close()
        process.wait(600)
        process.stdout.close()


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """The address of a scheduler with two worker processes."""
    with running() as (address, _):
        yield address


def pairs(folder: Path, number: int) -> Path:
    random = np.random.default_rng(1)
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    for at in range(number):
        picture = random.integers(0, 255, (24, 32, 3), np.uint8)
        Image.fromarray(picture).save(folder / "images" / f"s{at:03}.jpg")
        mask = random.integers(0, 3, (6, 8), np.uint8).repeat(4, 0).repeat(4, 1)
        Image.fromarray(mask).save(folder / "masks" / f"s{at:03}.png")
    return folder


def test_every_command_gives_the_same(tmp_path: Path, scheduler: str) -> None:
    source = pairs(tmp_path / "source", 60)
    (source / "masks" / "s007.png").write_bytes(b"not a PNG")
    dask = ("--engine", "dask", "--scheduler", scheduler, "--no-progress")
    bad = ("--classes", "3", "--on-error", "skip", "--shard", "25")
    said = {}
    for name, engine in (("local", ("-j", "1")), ("dask", dask)):
        out = tmp_path / name
        first = segprep("convert", "pairs", source, out / "tree", *bad, *engine, fails=3)
        export = segprep("export", "coco", out / "coco", "-d", out / "tree", *engine)
        tiles = ("tile", out / "tree", out / "tiles", "--size", "16", "--overlap", "0")
        results = [
            first,
            export,
            segprep(*tiles, "--keep-empty", *engine),
            segprep("verify", out / "tree", "--json", *engine),
            segprep("stats", out / "tree", "--json", *engine),
            segprep("check", out / "tree", "--json", *engine),
            segprep("miou", out / "tree" / "SegmentationClass", "-d", out / "tree", *engine),
        ]
        said[name] = [one.stdout.replace(str(out), "OUT") for one in results]
        said[name].append(first.stderr.replace(str(out), "OUT"))
    assert said["local"] == said["dask"]
    assert "s007.png" in said["dask"][-1]
    trees = [content(tmp_path / name) for name in ("local", "dask")]
    assert trees[0].keys() == trees[1].keys()
    different = [name for name, data in trees[0].items() if data != trees[1][name]]
    own = {"segprep-export.json", ".tree.segprep-index", ".tiles.segprep-index"}  # times, inodes
    assert {Path(name).name for name in different} <= own


def test_relative_paths_mean_the_folder_of_the_command(tmp_path: Path, scheduler: str) -> None:
    pairs(tmp_path / "source", 45)
    command = ("convert", "pairs", "source", "out", "--classes", "3")
    subprocess.run(
        [
            *(sys.executable, "-m", "segprep_cli", *command),
            *("--engine", "dask", "--scheduler", scheduler, "-q"),
        ],
        cwd=tmp_path,
        check=True,
        timeout=1200,
    )
    assert len(list((tmp_path / "out" / "JPEGImages").iterdir())) == 45


def test_without_a_scheduler_workers_start_here(tmp_path: Path) -> None:
    source = pairs(tmp_path / "source", 50)
    command = ("convert", "pairs", source, tmp_path / "out", "--classes", "3", "--json")
    done = segprep(*command, "--engine", "dask", "-j", "2")
    assert json.loads(done.stdout)["converted"] == 50
    assert not list((tmp_path / "out").glob(".segprep-*"))


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


def test_workers_that_cannot_start_are_an_error(tmp_path: Path) -> None:
    code = (
        "from segprep.cluster import connected\nfrom segprep.errors import SegprepError\n"
        "try:\n    with connected(jobs=1): pass\n"
        "except SegprepError as error: print(error.code, error.hint)\n"
    )
    (tmp_path / "unguarded.py").write_text(code)
    done = subprocess.run(
        [sys.executable, str(tmp_path / "unguarded.py")],
        capture_output=True,
        text=True,
        timeout=1200,
    )
    assert done.stdout.startswith("cluster-unusable use --engine local; in a script, put")


def test_the_blocks_of_the_page_parse() -> None:
    """Python compiles, YAML is a cluster whose parts fit together, scripts take the options."""
    yaml = pytest.importorskip("yaml")
    page = (Path(__file__).parents[1] / "docs" / "clusters.md").read_text("utf-8")
    blocks = re.findall(r"```(\w+)\n(.*?)```", page, re.DOTALL)
    assert [kind for kind, _ in blocks] == ["python", "yaml"]
    compile(blocks[0][1], "slurm.py", "exec")
    described = yaml.safe_load(blocks[1][1])
    worker, scheduler = described["spec"]["worker"]["spec"], described["spec"]["scheduler"]
    (container,) = worker["containers"]
    assert [mount["name"] for mount in container["volumeMounts"]] == [
        volume["name"] for volume in worker["volumes"]
    ]
    ports = {port["name"] for port in scheduler["spec"]["containers"][0]["ports"]}
    assert {port["targetPort"] for port in scheduler["service"]["ports"]} == ports
    assert f"tcp://{described['metadata']['name']}-scheduler:8786" in page
    told = subprocess.run(
        [sys.executable, "-m", "dask", "worker", "--help"], capture_output=True, text=True
    ).stdout
    for option in re.findall(r"dask worker .*?(--[a-z]+) \d+ (--[a-z]+)", page)[0]:
        assert option in told


def test_nobody_answers(tmp_path: Path) -> None:
    source = pairs(tmp_path / "source", 2)
    address = "tcp://127.0.0.1:9"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "segprep_cli", "check", str(source)),
            *("--engine", "dask", "--scheduler", address),
        ],
        capture_output=True,
        text=True,
        timeout=1200,
    )
    assert done.returncode == 1
    assert "[cluster-unusable]" in done.stderr
    assert "dask scheduler" in done.stderr


def test_a_scheduler_without_the_engine_is_a_mistake(tmp_path: Path) -> None:
    done = segprep("verify", tmp_path, "--scheduler", "tcp://127.0.0.1:9", fails=2)
    assert "--engine dask" in done.stderr
