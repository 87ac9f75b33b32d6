"""Predictions by several processes, of this machine or of a Dask cluster: the same files."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from folders import content
from PIL import Image
from training.inference.predicting import network, run

import segprep
from segprep.errors import SegprepError
from segprep.training.inference import groups

MODES = ("--mode", "ids", "--mode", "blend", "--mode", "probabilities", "--count")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Images of several sizes in two folders, and a file that is none."""
    rng = np.random.default_rng(3)
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    for n in range(21):
        pixels = rng.integers(0, 255, (40 + n % 3, 61, 3), np.uint8)
        Image.fromarray(pixels).save(folder / ("more" if n % 2 else "") / f"p{n}.png")
    (folder / "p3.png").write_bytes(b"no image")
    return folder


def test_processes_write_the_same(photos: Path, tmp_path: Path) -> None:
    file = network(tmp_path / "nets")
    said = []
    for jobs in (1, 2):
        out = tmp_path / str(jobs)
        result = run("predict", file, photos, "--out", out, *MODES, "--json", "--jobs", jobs)
        assert result.exit_code == 3, result.stderr
        document = json.loads(result.stdout)
        said.append({key: document[key] for key in ("predicted", "skipped", "classes", "notes")})
    assert said[0] == said[1]
    assert said[0]["predicted"] == 21
    assert [skipped["stem"] for skipped in said[0]["skipped"]] == ["p3"]
    assert content(tmp_path / "1") == content(tmp_path / "2")


def test_a_worker_with_another_network_is_refused(photos: Path, tmp_path: Path) -> None:
    file = groups.NetworkFile(network(tmp_path / "nets"), "0" * 40, "cpu")
    task = groups.WorkerTask(file, {}, tmp_path, ("ids",), 0)
    with pytest.raises(SegprepError, match="another file of this name"):
        task(())


KILLING = """
import os, signal, sys
from distributed import Client, LocalCluster
import segprep
from segprep import engine
from segprep.cluster import Cluster

def watched(images, total, title):
    for number, image in enumerate(images):
        yield image
        if number == 4 and pids:
            os.kill(pids[0], signal.SIGKILL)

if __name__ == "__main__":
    checkpoint, photos, out, kill = sys.argv[1:]
    local = LocalCluster(2, threads_per_worker=1, dashboard_address=None)
    with local, Client(local) as client, engine.using(Cluster(client)):
        pids = list(client.run(os.getpid).values()) if kill == "kill" else []
        modes = ("ids", "blend", "probabilities")
        done = segprep.predict(
            checkpoint, photos, out, modes=modes, count=True, batch=1, progress=watched
        )
        print(done.done, [skipped.stem for skipped in done.skipped])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="kills a process")
@pytest.mark.parametrize("kill", ["kill", "keep"])
def test_workers_of_a_cluster_write_the_same(kill: str, photos: Path, tmp_path: Path) -> None:
    """One of the two is killed in mid-run; another does what it had begun."""
    pytest.importorskip("distributed", reason="the extra dask is not installed")
    file = network(tmp_path / "nets")
    modes = ("ids", "blend", "probabilities")
    segprep.predict(file, photos, tmp_path / "local", modes=modes, count=True, batch=1)
    done = subprocess.run(
        [sys.executable, "-c", KILLING, file, photos, tmp_path / "dask", kill],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout == "21 ['p3']\n"
    assert content(tmp_path / "local") == content(tmp_path / "dask")
