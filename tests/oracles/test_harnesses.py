"""The programs behind ``make mutate`` and ``make peers`` run: one fault, one set, no other tool."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]


@pytest.mark.parametrize("program", ["mutation/run.py", "oracles/check_peers.py"])
def test_a_fault_of_one_set_is_found(program: str, tmp_path: Path) -> None:
    arguments = ["--sets", "shapes", "--limit", "12", "--only", "alpha"]
    lone = {name: value for name, value in os.environ.items() if not name.startswith("SEGPREP_")}
    done = subprocess.run(
        [sys.executable, TESTS / program, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=tmp_path,
        env=lone,
    )
    rows = [row for row in done.stdout.splitlines() if row.startswith("| alpha (F18)")]
    assert rows
    assert all("1 / 1" in row or "12 / 12" in row for row in rows)
