"""Killed conversions: the tree is whole or as it was, and the same command resumes."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conversion.interrupted import (
    cli,
    content,
    converted,
    ended,
    held,
    let_go,
)

BUSY = 30  # seconds that a busy machine may need; tests/crash/signals.py allows two
SWEEP = Path(__file__).parents[1] / "crash" / "sweep.py"


CONVERSIONS = ("fresh", "skip", "update", "overwrite", "fixed", "classes")


@pytest.mark.parametrize(
    "points",
    [
        (
            *(word for name in CONVERSIONS for word in ("--scenario", name)),
            *("--points", "108", "--pairs", "3", "--seed", "1"),
        ),
        (
            "--scenario",
            "overwrite",
            "--scenario",
            "update",
            "--mode",
            "kill",
            "--last",
            "45",
        ),  # publishing and cleaning up
    ],
)
def test_any_crash_point(points: tuple[str, ...]) -> None:
    """A sample of tests/crash/sweep.py; `make crash` runs all points."""
    done = subprocess.run(
        [sys.executable, SWEEP, *points], check=False, capture_output=True, text=True, timeout=1200
    )
    assert not done.stdout.splitlines()[:-1]
    assert done.returncode == 0, done.stderr


def group_members(pid: int) -> list[int]:
    """Live processes of the session that *pid* leads."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            fields = (
                (folder / "stat").read_text().rpartition(")")[2].split()
                if folder.name.isdecimal()
                else []
            )
        except OSError:
            continue
        if fields and int(fields[3]) == pid and fields[0] not in "ZX":
            found.append(int(folder.name))
    return found


def none_is_left(pid: int) -> bool:
    """Whether all processes of the session that *pid* led end, too, within a moment."""
    until = time.monotonic() + BUSY
    while group_members(pid) and time.monotonic() < until:
        time.sleep(0.05)
    return not group_members(pid)


def test_kill_at_random_moments_and_go_on(
    many: tuple[Path, dict[str, bytes]], beside: Path
) -> None:
    """Several kills of one conversion, workers and all, the same command each time."""
    source, expected = many
    rng = random.Random(5)
    for at in (1, 40, 90, 130):
        with held(source, beside, at + rng.randrange(10)) as process:
            os.killpg(process.pid, signal.SIGKILL)
            ended(process)
        assert not (beside / "segprep.json").exists()
    converted(source, beside)
    assert content(beside) == expected


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts processes in /proc")
def test_a_killed_parent_leaves_no_workers(
    many: tuple[Path, dict[str, bytes]], beside: Path
) -> None:
    source, expected = many
    with held(source, beside, 5) as process:
        process.kill()
        process.communicate()
        assert none_is_left(process.pid)
    converted(source, beside)
    assert content(beside) == expected


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts processes in /proc")
def test_a_killed_worker_loses_nothing(many: tuple[Path, dict[str, bytes]], beside: Path) -> None:
    source, expected = many
    with held(source, beside, 5) as process:
        worker, _ = (pid for pid in group_members(process.pid) if pid != process.pid)
        os.kill(worker, signal.SIGKILL)
        let_go(beside)
        said = ended(process)
    assert "Traceback" not in said
    assert process.returncode == 0
    assert content(beside) == expected


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts processes in /proc")
@pytest.mark.parametrize(
    ("sign", "at", "whole_group"),
    [
        (signal.SIGINT, 1, True),
        (signal.SIGINT, 60, True),
        (signal.SIGINT, 20, False),
        (signal.SIGTERM, 30, False),
    ],
)
def test_interrupted_and_resumed(
    many: tuple[Path, dict[str, bytes]],
    beside: Path,
    sign: signal.Signals,
    at: int,
    whole_group: bool,
) -> None:
    """Ctrl-C reaches the workers too (*whole_group*)."""
    source, expected = many
    with held(source, beside, at) as process:
        started = time.monotonic()
        if whole_group:
            os.killpg(process.pid, sign)
        else:
            process.send_signal(sign)
        said = ended(process)
    assert time.monotonic() - started <= BUSY
    assert process.returncode == 130
    assert "Traceback" not in said
    assert "re-run the command" in said
    assert none_is_left(process.pid)
    assert not (beside / "segprep.json").exists()
    converted(source, beside)
    assert content(beside) == expected


def test_jobs_and_listing_order_do_not_matter(
    many: tuple[Path, dict[str, bytes]], tmp_path: Path
) -> None:
    source, expected = many
    reordered = tmp_path / "src"
    reordered.mkdir()
    for path in sorted(source.iterdir(), key=lambda one: one.name[::-1], reverse=True):
        shutil.copy(path, reordered / path.name)
    result = cli("json2mask", reordered, tmp_path / "clean", "-j", "4")
    assert result.exit_code == 0
    found = content(tmp_path / "clean")
    assert {name for name in found if found[name] != expected.get(name)} <= {
        "segprep.json"
    }  # its source path is another
    os.rename(tmp_path / "clean", tmp_path / "moved")
    assert cli("json2mask", source, source.parent / "four", "-j", "4").exit_code == 0
    assert content(source.parent / "four") == expected
