"""Dask as the engine: two worker processes, the same bytes and numbers."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from cluster_scripts import running
from folders import content
from PIL import Image

pytest.importorskip("distributed", reason="the extra dask is not installed")


def segprep(*arguments: object, fails: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "segprep_cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=1200,
    )
    assert done.returncode == fails, done.stderr[-3000:]
    return done


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
