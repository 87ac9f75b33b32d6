"""Samples of what make crash and make signals run in full."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="fork, /proc and file size limits")


def lines(script: str, *options: str) -> list[str]:
    """What *script* prints before its line of figures."""
    done = subprocess.run(
        [sys.executable, FOLDER / script, *options], capture_output=True, text=True, timeout=2000
    )
    assert done.stdout, done.stderr
    return done.stdout.splitlines()[:-1]


@LINUX
@pytest.mark.parametrize("scenario", ["split-overwrite", "remap", "export", "export-overwrite"])
def test_every_writing_command_survives_faults(scenario: str) -> None:
    assert lines("sweep.py", "--scenario", scenario, "--points", "18", "--pairs", "1") == []


@LINUX
def test_the_further_writing_commands_survive_faults() -> None:
    names = ("merge", "tile", "resize", "miou", "fix", "stats", "view")
    given = [word for name in names for word in ("--scenario", name)]
    assert lines("sweep.py", *given, "--points", "63") == []


@LINUX
def test_trainings_survive_faults() -> None:
    given = [word for name in ("train", "train-overwrite") for word in ("--scenario", name)]
    modes = [word for name in ("kill", "full") for word in ("--mode", name)]
    assert lines("sweep.py", *given, *modes, "--points", "4") == []


@LINUX
def test_a_small_disk_that_fills_up_loses_nothing() -> None:
    script, given = FOLDER / "small_disk.py", ["--scenario", "split", "--points", "3"]
    done = subprocess.run([sys.executable, script, *given], capture_output=True, text=True)
    if done.returncode == 75:
        pytest.skip(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["full"]["split"] == 3


@LINUX
def test_signals_dying_workers_and_collisions() -> None:
    given = ("--kills", "2", "--runs", "1", "--signals", "2", "--within", "60")
    assert lines("signals.py", *given) == []
