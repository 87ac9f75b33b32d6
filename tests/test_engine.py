"""The engine: order, failures as values, workers that fail or die."""

import os
import signal
from pathlib import Path

import pytest

from segprep import engine
from segprep.errors import SegprepError, SourceError


def crash(number: int) -> int:
    if number % 50 == 7:
        raise ZeroDivisionError("a fault of ours")
    return number * 2


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_unforeseen_exception_costs_its_item_only(jobs: int) -> None:
    results = list(engine.run(crash, range(200), jobs=jobs))
    failures = {n: result for n, result in enumerate(results) if isinstance(result, engine.Failure)}
    assert sorted(failures) == [7, 57, 107, 157]
    assert {failure.code for failure in failures.values()} == {"reader-crashed"}
    assert "ZeroDivisionError: a fault of ours" in failures[7].reason
    assert "line" in failures[7].detail
    assert failures[7].path == "7"
    assert [result for n, result in enumerate(results) if n not in failures] == [
        2 * n for n in range(200) if n not in failures
    ]


def refuse(number: int) -> int:
    raise SourceError(Path("x.json"), f"item {number}", "fix it", "bad-json")


def test_a_source_error_is_a_failure_without_a_traceback() -> None:
    (failure,) = engine.run(refuse, [3])
    assert failure == engine.Failure("bad-json", "x.json", "item 3", "fix it")


def stop(number: int) -> int:
    raise SegprepError("write-failed", "the disk is full")


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_concerns_the_whole_call_ends_it(jobs: int) -> None:
    with pytest.raises(SegprepError, match="the disk is full"):
        list(engine.run(stop, range(100), jobs=jobs))


def die(number: int) -> int:
    if number == 61:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs POSIX signals")
def test_a_killed_worker_costs_its_item_only() -> None:
    results = list(engine.run(die, range(200), jobs=2))
    assert results[:61] + results[62:] == [n for n in range(200) if n != 61]
    failure = results[61]
    assert isinstance(failure, engine.Failure)
    assert failure.code == "worker-died"
