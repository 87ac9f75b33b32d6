"""Limits on memory and computing time: what costs too much is named, the rest goes on."""

import itertools
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from segprep_cli.main import group
from segprep_cli.options import Size

from segprep import engine, limits

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_DATA counts on Linux only")


def greedy(number: int) -> int:
    return len(bytearray(1 << 29)) if number == 3 else number


def endless(number: int) -> int:
    while number == 3:
        pass
    return number


def codes(results: "list[object]") -> dict[int, str]:
    return {n: one.code for n, one in enumerate(results) if isinstance(one, engine.Failure)}


@LINUX
@pytest.mark.parametrize("count", [6, 100])
@pytest.mark.parametrize("jobs", [1, 2])
def test_an_item_that_asks_for_too_much_memory_is_named(count: int, jobs: int) -> None:
    with limits.limited(memory=1 << 27, seconds=60):
        assert codes(list(engine.run(greedy, range(count), jobs=jobs))) == {3: "memory-limit"}
    assert greedy(3) == 1 << 29  # nothing is limited any more


@pytest.mark.skipif(sys.platform == "win32", reason="no timers of computing time")
@pytest.mark.parametrize(("count", "jobs"), [(6, 1), (6, 2), (100, 2)])
def test_an_item_that_takes_too_long_is_named(count: int, jobs: int) -> None:
    with limits.limited(seconds=0.3):
        results = list(engine.run(endless, range(count), jobs=jobs))
    assert codes(results) == {3: "time-limit"}
    assert [one for n, one in enumerate(results) if n != 3] == [n for n in range(count) if n != 3]


def test_a_run_that_began_later_keeps_its_limit() -> None:
    before = signal.getsignal(signal.SIGPROF)
    with limits.limited(seconds=0.2):
        first = engine.run(endless, [1, 2])
        next(first)
        second = engine.run(endless, [1, 3])
        results = [next(second), *first, *second]
    assert codes(results) == {2: "time-limit"}
    assert signal.getsignal(signal.SIGPROF) is before


@LINUX
def test_workers_share_what_a_command_may_have() -> None:
    with limits.limited(memory=3 << 30, seconds=60):
        assert set(engine.run(granted, range(200), jobs=3)) == {1 << 30}


def granted(number: int) -> int:
    return limits.current().memory


def test_nothing_is_limited_where_nobody_asked() -> None:
    assert limits.current() == limits.Limits()


@LINUX
def test_the_default_is_a_share_of_what_is_there() -> None:
    assert limits.LEAST <= limits.default_memory() < limits.available()


@pytest.mark.parametrize(
    ("names", "stat", "left"),
    [
        (("memory.max", "memory.current", "memory.stat"), "anon 90\nactive_file 60\n", 110),
        (
            ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat"),
            "inactive_file 1\ntotal_inactive_file 20\ntotal_active_file 5\n",
            75,
        ),
        (("memory.max", "memory.current", "other"), "", 50),
    ],
)
def test_files_in_the_memory_of_a_container_are_free(
    names: tuple[str, str, str],
    stat: str,
    left: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After a large dataset was read, they are nearly all of its memory."""
    (tmp_path / "memory").mkdir()
    for name, content in zip(names, ("200\n", "150\n", stat), strict=True):
        (tmp_path / name).write_text(content)
    monkeypatch.setattr(limits, "_CONTROL", tmp_path)
    assert limits.available() == left


@pytest.mark.parametrize(
    ("text", "size"),
    [("8G", 8 << 30), ("500M", 500 << 20), ("1.5GiB", 3 << 29), ("2kb", 2048), ("0", 0)],
)
def test_sizes_are_written_as_people_write_them(text: str, size: int) -> None:
    assert Size().convert(text, None, None) == size


@pytest.mark.parametrize("text", ["8X", "-1G", "", "1e9", "5 M", "10M"])
def test_other_sizes_are_refused(text: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(group, ["verify", str(tmp_path), "--max-memory", text])
    assert done.exit_code == 2
    assert "--max-memory" in done.output


@LINUX
def test_the_command_line_limits_every_worker(tmp_path: Path) -> None:
    """An array whose header is true and whose size is of no use to anybody."""
    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()
    np.save(tmp_path / "masks" / "a.npy", np.zeros((7000, 7000, 3), np.uint8))
    Image.new("L", (7000, 7000)).save(tmp_path / "images" / "a.png")
    command = ["convert", "arrays", str(tmp_path), str(tmp_path.parent / f"{tmp_path.name}-out")]
    command += ["--axis", "2", "--classes", "a,b,c"]
    command += ["--max-memory", "256M", "-j", "1"]
    done = CliRunner().invoke(group, command)
    assert done.exit_code == 1
    assert "memory-limit" in done.output
    assert "--max-memory" in done.output


def test_a_worker_sets_the_timer_once_for_many_short_items(monkeypatch: pytest.MonkeyPatch) -> None:
    timers: list[tuple[Any, ...]] = []
    monkeypatch.setattr(signal, "setitimer", lambda *rest: timers.append(rest))
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    assert engine.Job(len, 100.0)(["a", "bc"]).results == [1, 2]
    assert timers == [(signal.ITIMER_PROF, 101.0, 0.0), (signal.ITIMER_PROF, 0)]
    timers.clear()
    now = itertools.count()  # a second between items
    monkeypatch.setattr(time, "monotonic", lambda: 1.5 * next(now))
    engine.Job(len, 100.0)(["a", "bc"])
    assert timers == [*[(signal.ITIMER_PROF, 101.0, 0.0)] * 2, (signal.ITIMER_PROF, 0)]


@LINUX
def test_a_timer_that_ends_between_items_ends_none() -> None:
    """The time of whoever asks for the items is not theirs."""
    with limits.limited(seconds=0.2):
        results = engine.run(spinning, [0.01, 0.01, 5.0, 0.01])
        assert next(results) == 0.01
        spinning(0.3)
        assert next(results) == 0.01
        late = next(results)
        assert isinstance(late, engine.Failure)
        assert late.code == "time-limit"
        spinning(0.3)
        assert next(results) == 0.01


def spinning(seconds: float) -> float:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
    return seconds
