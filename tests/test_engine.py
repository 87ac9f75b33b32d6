"""The engine: order, failures as values, workers that fail or die."""

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
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


class Clock:
    """Time that passes by itself, and of which little is spent on work."""

    def __init__(self, *, work: float, wait: float) -> None:
        self.work, self.wait, self.used, self.now = work, wait, 0.0, 0.0

    def thread_time(self) -> float:
        return self.used

    def monotonic(self) -> float:
        return self.now

    def item(self, number: int) -> int:
        self.used, self.now = self.used + self.work, self.now + self.work + self.wait
        return number


@pytest.mark.parametrize(
    ("work", "wait", "seconds"),
    [(1.0, 0.0, 1.0), (1.0, 5.0, 1.0), (1.0, 99.0, 10.0), (0.0, 1.0, 0.1)],
    ids=["idle machine", "busy machine", "slow disk", "waiting only"],
)
def test_a_busy_machine_does_not_make_chunks_short(
    work: float, wait: float, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(work=work, wait=wait)
    monkeypatch.setattr(engine, "time", clock)
    timed = engine.Job(clock.item)(range(4))
    assert timed.results == [0, 1, 2, 3]
    assert timed.seconds == pytest.approx(4 * seconds)


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


@dataclass(frozen=True)
class Recorded:
    """Kill the worker at item 61; keep account of the tries in *folder*."""

    folder: Path

    def __call__(self, path: Path) -> Path:
        if path.name == "61":
            with open(self.folder / "tries", "a") as tries:
                tries.write("x")
            os.kill(os.getpid(), signal.SIGKILL)
        return path


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs POSIX signals")
def test_an_item_that_kills_its_worker_costs_two_tries_of_its_own(tmp_path: Path) -> None:
    """One try beside others, whose fault it might be, then two alone; the file is named."""
    paths = [tmp_path / str(n) for n in range(400)]
    results = list(engine.run(Recorded(tmp_path), paths, jobs=2))
    assert (tmp_path / "tries").read_text() == "xxx"
    assert [n for n, result in enumerate(results) if isinstance(result, engine.Failure)] == [61]
    assert results[61].path == str(tmp_path / "61")  # type: ignore[union-attr]


def slowly(number: int) -> int:
    time.sleep(0.002)
    return number


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs POSIX signals")
def test_workers_killed_from_outside_cost_no_item() -> None:
    """Also while the next chunk is handed out, when the pool is broken already."""
    results = []
    for result in engine.run(slowly, range(600), jobs=2):
        results.append(result)
        if len(results) in (50, 250, 251, 400):
            for child in multiprocessing.active_children():
                os.kill(child.pid or 0, signal.SIGKILL)
            time.sleep(0.1)
    assert results == list(range(600))


ANSWERS = """
import sys
from segprep import engine

class Answer:
    def __init__(self, size):
        self.size = size
    def __call__(self, number):
        return number, bytes(self.size)

if __name__ == "__main__":
    for _ in range(int(sys.argv[2])):
        for n, result in enumerate(engine.run(Answer(int(sys.argv[1])), range(80), jobs=2)):
            code = getattr(result, "code", "")
            if code != "worker-died" and result[0] != n:
                sys.exit(f"{n}: {result}")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the children of a process are those of /proc")
@pytest.mark.parametrize(("size", "rounds"), [(10, 100), (300_000, 8)])
def test_whenever_workers_are_killed_the_run_goes_on(
    tmp_path: Path, size: int, rounds: int
) -> None:
    """At their start, in the middle of an answer, and while the run ends. Python's own pool of
    processes hangs there.
    """
    (tmp_path / "run.py").write_text(ANSWERS)
    chance, until = random.Random(size), time.monotonic() + 1200
    command = [sys.executable, str(tmp_path / "run.py"), str(size), str(rounds)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as run:
        while run.poll() is None and time.monotonic() < until:
            time.sleep(chance.uniform(0, 0.06))
            with suppress(OSError):
                children = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
                for child in children and [chance.choice(children)]:
                    os.kill(int(child), signal.SIGKILL)
        run.kill()
        _, words = run.communicate()
    assert (run.returncode, words) == (0, "")


def test_no_worker_outlives_a_run_that_is_given_up() -> None:
    results = engine.run(slowly, range(1000), jobs=2)
    assert next(results) == 0
    assert multiprocessing.active_children()
    results.close()  # type: ignore[attr-defined]
    assert not multiprocessing.active_children()


FAILING_RUN = """
import sys
from pathlib import Path
from segprep import engine
from segprep.errors import SourceError
def refuse(number):
    raise SourceError(Path("x"), "no")
if __name__ == "__main__":
    results = engine.run(refuse, range(90), jobs=2)
    next(results) if sys.argv[1] == "early" else list(results)
    sys.exit(1)
"""


@pytest.mark.parametrize("end", ["early", "late"])
def test_the_interpreter_ends_without_a_traceback(end: str) -> None:
    """A pool that is still closing its pipes then would print "Bad file descriptor"."""
    for _ in range(5):
        done = subprocess.run(
            [sys.executable, "-c", FAILING_RUN, end], capture_output=True, timeout=6000
        )
        assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs POSIX signals")
def test_a_killed_worker_costs_its_item_only() -> None:
    results = list(engine.run(die, range(200), jobs=2))
    assert results[:61] + results[62:] == [n for n in range(200) if n != 61]
    failure = results[61]
    assert isinstance(failure, engine.Failure)
    assert failure.code == "worker-died"


INTERRUPTED = """
import os, signal
from segprep import engine

def job(number):
    return number

if __name__ == "__main__":
    os.register_at_fork(after_in_parent=lambda: os.kill(os.getpid(), signal.SIGINT))
    try:
        list(engine.run(job, range(1000), jobs=2))
    except KeyboardInterrupt:
        print("interrupted")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux")
def test_ctrl_c_while_workers_are_forked_is_not_lost(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text(INTERRUPTED)
    done = subprocess.run(
        [sys.executable, tmp_path / "run.py"], capture_output=True, text=True, timeout=600
    )
    assert (done.stdout, done.stderr) == ("interrupted\n", "")
