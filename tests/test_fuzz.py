"""A short, repeatable sample of ``tests/fuzz``: run it for longer with ``make fuzz``."""

import importlib.util
import json
import random
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from segprep import sources

CASES = 24
FUZZ = Path(__file__).parent / "fuzz"


@pytest.fixture(scope="module")
def fuzzer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fuzz_sources", FUZZ / "sources.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.skipif(sys.platform == "win32", reason="the time limit of a case is a POSIX signal")
def test_only_registered_errors_or_sound_trees(fuzzer: ModuleType) -> None:
    said: list[str] = []
    number, failures, outcomes = fuzzer.fuzz(7, lambda number: number < CASES, said.append)
    assert (number, failures) == (CASES, 0), "\n".join(said)
    assert outcomes["sound"]
    assert outcomes["bad-input"]


def test_every_format_has_an_example_to_start_from(fuzzer: ModuleType, tmp_path: Path) -> None:
    for name in sources.names():
        (tmp_path / name).mkdir()
        assert fuzzer.example(name, tmp_path / name).root.is_dir()


def test_a_failure_is_reported_with_the_case_that_repeats_it(
    fuzzer: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> str:
        raise ZeroDivisionError("on purpose")

    monkeypatch.setattr(fuzzer, "judge", broken)
    said: list[str] = []
    assert fuzzer.fuzz(5, lambda number: number < 2, said.append)[:2] == (2, 2)
    assert said[1].startswith("case 5:1\n")
    assert "on purpose" in said[1]


def test_changes_are_the_same_for_the_same_seed(fuzzer: ModuleType, tmp_path: Path) -> None:
    made = []
    for name in ("one", "two"):
        fuzzer.example("pairs", tmp_path / name)
        rng = random.Random("3:1")
        made.append([fuzzer.mutate(tmp_path / name, rng) for _ in range(5)])
    assert made[0] == made[1]


@pytest.mark.skipif(sys.platform == "win32", reason="a life forks")
@pytest.mark.parametrize(
    ("script", "count", "cases"), [("trees.py", "cases", 60), ("machine.py", "lives", 6)]
)
def test_datasets_are_sound_or_refused(script: str, count: str, cases: int) -> None:
    words = (sys.executable, FUZZ / script, "--cases", str(cases), "--seed", "7")
    run = subprocess.run(words, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    figures = json.loads(run.stdout)
    assert figures[count] == cases
    assert figures["failures"] == 0


@pytest.mark.skipif(sys.platform == "win32", reason="the time limit of a case is a POSIX signal")
def test_odd_networks_are_refused_or_predict_their_own_classes() -> None:
    for package in ("torch", "onnx", "onnxruntime"):
        pytest.importorskip(package)
    words = (sys.executable, FUZZ / "networks.py", "--cases", "40", "--seed", "7")
    run = subprocess.run(words, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "40 cases, 0 failures" in run.stdout
    assert "bad-checkpoint" in run.stdout
