"""Hostile input through the command line: every bad file is named with code, address and reason,
every good one beside it is converted.

All cases lie in one folder, each in a subfolder of its own, and are converted in three runs: stop,
skip, skip under strace.
"""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hostile.labelme import BAD, CASES, EITHER, FOREIGN, GOOD, codes_of
from hostile.makers import HEIGHT, SECRET, WIDTH, shape
from hostile.runs import Run, measured, run
from PIL import Image


@dataclass
class Arena:
    """All cases in one folder, and the runs over it."""

    base: Path
    stopped: Run
    skipped: Run
    after_stop: list[str]

    def entries(self, name: str) -> list[dict[str, str]]:
        """The entries of the skip run about the JSON (or image) in the folder of case *name*."""
        return [
            one
            for one in self.skipped.document["skipped"]
            if Path(one["path"]).is_relative_to(self.base / "src" / name)
        ]

    def records(self) -> dict[str, dict[str, Any]]:
        """Case name -> Record."""
        lines = (self.base / "out" / "records.jsonl").read_bytes().splitlines()
        return {record["source"].split("/")[0]: record for record in map(json.loads, lines)}


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Arena:
    base = tmp_path_factory.mktemp("arena")
    (base / "secret").mkdir()
    Image.new("RGB", (WIDTH, HEIGHT), SECRET).save(base / "secret" / "s.png")
    (base / "secret" / "s.json").write_text(
        json.dumps({"shapes": [shape("secret")], "imagePath": "s.png", "imageData": None})
    )
    for name, case in CASES.items():
        case.lay(base, name)
    stopped = run("json2mask", base / "src", base / "out", "-j", "2")
    after = sorted(path.name for path in (base / "out").iterdir())
    shutil.rmtree(base / "out")
    return Arena(
        base,
        stopped,
        measured("json2mask", base / "src", base / "out", "-j", "2", "--on-error", "skip"),
        after,
    )


def test_stop_lists_everything_at_once_and_publishes_nothing(arena: Arena) -> None:
    assert arena.stopped.code == 1
    assert arena.after_stop == [".segprep-incomplete"]
    assert arena.stopped.document["skipped"] == arena.skipped.document["skipped"]
    assert "Traceback" not in arena.stopped.said
    assert "[bad-input]" in arena.stopped.said
    missing = [
        one
        for one in arena.stopped.document["skipped"]
        if f"[{one['code']}]" not in arena.stopped.said
    ]
    assert not missing


def test_skip_converts_all_the_rest(arena: Arena) -> None:
    assert "Traceback" not in arena.skipped.said
    assert arena.skipped.code == 3
    assert set(GOOD) - set(arena.records()) == set()
    assert set(arena.records()) - set(GOOD) - set(EITHER) == set()
    assert arena.skipped.document["converted"] == len(arena.records())


def test_everything_in_one_folder_stays_within_bounds(arena: Arena) -> None:
    """HAZARDS B1."""
    assert arena.skipped.seconds <= 60
    assert arena.skipped.memory <= 2**30


@pytest.mark.parametrize("name", BAD)
def test_bad(arena: Arena, name: str) -> None:
    case = CASES[name]
    (entry,) = arena.entries(name)
    assert entry["code"] in codes_of(case)
    for word in case.words:
        assert word in entry["reason"]
    assert name not in arena.records()


def test_every_refusal_says_what_to_do(arena: Arena) -> None:
    without = {
        f"{one['code']}: {one['reason'][:80]}"
        for one in arena.skipped.document["skipped"]
        if not one["hint"] and one["code"] != "other-json"
    }
    assert not without


@pytest.mark.parametrize("name", FOREIGN)
def test_foreign_is_named_and_no_failure(arena: Arena, name: str) -> None:
    (entry,) = arena.entries(name)
    assert entry["code"] == "other-json"
    assert CASES[name].words[0] in entry["reason"]


@pytest.mark.parametrize("name", EITHER)
def test_refused_or_drawn_rightly(arena: Arena, name: str) -> None:
    if entries := arena.entries(name):
        assert [entry["code"] for entry in entries] == ["bad-shape"]
    else:
        test_good(arena, name)


@pytest.mark.parametrize("name", GOOD)
def test_good(arena: Arena, name: str) -> None:
    case, record = CASES[name], arena.records()[name]
    assert not arena.entries(name)
    found = {note["code"] for note in record["notes"]}
    assert set(case.notes) <= found
    with Image.open(arena.base / "out" / record["mask"]) as picture:
        mask = np.asarray(picture)
    with Image.open(arena.base / "out" / record["image"]) as picture:
        picture.load()
        assert mask.shape == picture.size[::-1]
    assert sum(record["pixels"].values()) == mask.size
    if "image" in case.checks:
        assert record["image"].endswith(case.checks["image"])
    if "size" in case.checks:
        assert mask.shape == case.checks["size"]
    if "right" in case.checks:
        assert bool(mask[:, -1].any()) == bool(case.checks["right"])


def test_the_secret_never_arrives(arena: Arena) -> None:
    secret = (arena.base / "secret" / "s.png").read_bytes()
    for path in (path for path in (arena.base / "out").rglob("*") if path.is_file()):
        assert path.read_bytes() != secret
        if path.parent.name == "JPEGImages":
            with Image.open(path) as picture:
                assert not (np.asarray(picture.convert("RGB")) == SECRET).all(axis=2).any()
    assert "secret" not in arena.skipped.document["classes"]
    assert b"root:" not in (arena.base / "out" / "records.jsonl").read_bytes()


HOOKED = """
import os, sys
log = os.open(sys.argv.pop(1), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
files = ("open", "os.listdir", "os.scandir")
others = ("socket.connect", "socket.getaddrinfo", "urllib.Request", "subprocess.Popen")
def hook(event, args):
    if event in files + others:
        os.write(log, (event + " " + repr(args[0]) + chr(10)).encode("utf-8", "backslashreplace"))
sys.addaudithook(hook)
from segprep_cli.main import main
main()
"""


def test_nothing_outside_is_opened(arena: Arena, tmp_path: Path) -> None:
    """HAZARDS B2, by CPython's own account of what it opens."""
    log = tmp_path / "log"
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            HOOKED,
            log,
            "json2mask",
            arena.base / "src",
            tmp_path / "out",
            "-j",
            "1",
            "--on-error",
            "skip",
            "-q",
        ],
        capture_output=True,
        timeout=600,
    )
    assert done.returncode == 3
    opened = [line.partition(" ") for line in log.read_text().splitlines()]
    assert not [line for line in opened if line[0] not in ("open", "os.listdir", "os.scandir")]
    _judge({path.strip("'\"") for _, _, path in opened}, arena.base, tmp_path)


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_nothing_outside_is_opened_by_the_system(arena: Arena, tmp_path: Path) -> None:
    """HAZARDS B2, by the kernel's account, worker processes included."""
    prefix = (
        "strace",
        "-f",
        "-qq",
        "--seccomp-bpf",
        "-e",
        "trace=open,openat,connect",
        "-o",
        str(tmp_path / "log"),
    )
    done = run(
        "json2mask",
        arena.base / "src",
        tmp_path / "out",
        "-j",
        "2",
        "--on-error",
        "skip",
        prefix=prefix,
    )
    if not (tmp_path / "log").exists() or "ptrace" in done.said:
        pytest.skip("strace may not trace here")
    assert done.code == 3
    lines = [
        line
        for line in (tmp_path / "log").read_text(errors="replace").splitlines()
        if '"' in line and " = -1 " not in line
    ]
    assert not [line for line in lines if "connect(" in line and "AF_UNIX" not in line]
    _judge(
        {line.split('"')[1] for line in lines if "open" in line.split('"')[0]}, arena.base, tmp_path
    )


def _judge(paths: set[str], base: Path, own: Path) -> None:
    """Below the temporary folder only source and output may be opened; of the system none of the
    files that the cases name.
    """
    assert len(paths) > len(GOOD)
    inside = {path for path in paths if path.startswith(str(base.parent))}
    allowed = (str(base / "src"), str(own))
    assert not [path for path in inside if not path.startswith(allowed)]
    assert not paths & {"/etc/passwd", "/etc/hostname", "/proc/self/environ", "/dev/zero"}
