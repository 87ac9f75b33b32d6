"""``make bench``: figures as ratios against a peer or a floor that is measured in the same run;
medians of interleaved runs.

Nothing here is asserted: machines are noisy. The last column says whether the goal was met this
time.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import annotations
import processor

HERE = Path(__file__).parent
SEGPREP = [sys.executable, "-m", "segprep_cli"]
PEER = os.environ.get("SEGPREP_LABELME_PYTHON", "")


@dataclass(frozen=True)
class Run:
    """One finished process with its children: seconds of CPU and of wall, peak memory of the
    largest process in MiB.
    """

    cpu: float
    wall: float
    peak: float


def measure(command: Sequence[str]) -> Run:
    """Run *command* in a process that reports its children's usage."""
    code = "import resource, subprocess, sys, time\nt = time.perf_counter()\n"
    code += (
        "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL,"
        " stderr=subprocess.DEVNULL)\n"
    )
    code += (
        "w = time.perf_counter() - t\nu ="
        " resource.getrusage(resource.RUSAGE_CHILDREN)\nprint(u.ru_utime + u.ru_stime, w,"
        " u.ru_maxrss / 1024)"
    )
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package is compiled already
    shown = subprocess.run(
        [sys.executable, "-c", code, *command],
        check=True,
        capture_output=True,
        text=True,
        env=environment,
    ).stdout
    return Run(*map(float, shown.split()))


def interleaved(rounds: int, *commands: Callable[[], Sequence[str]]) -> list[list[Run]]:
    """Every command *rounds* times, in turn."""
    runs: list[list[Run]] = [[] for _ in commands]
    for _ in range(rounds):
        for number, command in enumerate(commands):
            runs[number].append(measure(command()))
    return runs


def ratio(first: list[Run], second: list[Run], what: str) -> float:
    """The median of the ratios second / first, pair by pair."""
    return median(getattr(b, what) / getattr(a, what) for a, b in zip(first, second, strict=True))


def row(name: str, figure: str, goal: str = "", met: bool | None = None) -> None:
    print(
        f"{name:<62} {figure:>22}  {goal:<12} {'' if met is None else 'met' if met else 'NOT met'}",
        flush=True,
    )


def fresh(folder: Path) -> Callable[[], str]:
    """A new output folder at each call. None is removed before the end: that would cost the run
    that follows up to .6 s of system time.
    """
    counter = iter(range(1_000_000))
    return lambda: str(folder / str(next(counter)))


def convert(source: Path, out: Callable[[], str], jobs: int) -> Callable[[], list[str]]:
    return lambda: [*SEGPREP, "json2mask", str(source), out(), "-q", "-j", str(jobs)]


def second_core() -> float:
    """How much faster two busy processes are than one after the other; about 2 where the second
    core is free.
    """
    spin = [sys.executable, "-c", "sum(i * i for i in range(6_000_000))"]
    alone = measure(spin).wall
    with ThreadPoolExecutor(2) as pool:
        both = max(run.wall for run in pool.map(measure, [spin, spin]))
    return 2 * alone / both


def against_labelme(source: Path, work: Path, count: int, rounds: int) -> None:
    if not PEER:
        row("json2mask against labelme", "not run", "SEGPREP_LABELME_PYTHON is not set")
        return
    ours, theirs = fresh(work / "ours"), fresh(work / "theirs")
    runs = interleaved(
        rounds,
        convert(source, ours, 1),
        lambda: [PEER, str(HERE / "labelme_peer.py"), str(source), theirs()],
    )
    share = ratio(*runs, "cpu")
    row(
        f"labelme's CPU time / segprep's, {count} images, manifest included",
        f"{share:.1f}x",
        ">= 5x",
        share >= 5,
    )
    row(
        "  per image: segprep, labelme",
        f"{1000 * median(r.cpu for r in runs[0]) / count:.1f},"
        f" {1000 * median(r.cpu for r in runs[1]) / count:.1f} ms",
    )


def workers(source: Path, work: Path, rounds: int) -> None:
    free = second_core()
    runs = interleaved(
        rounds, convert(source, fresh(work / "two"), 2), convert(source, fresh(work / "one"), 1)
    )
    share = ratio(*runs, "wall")
    row("wall time with one worker / with two", f"{share:.2f}x", ">= 1.6x", share >= 1.6)
    row("  the second core gave a pure CPU job", f"{free:.2f}x")


def memory(work: Path, small: int, large: int) -> None:
    peaks = []
    for count in (small, large):
        annotations.write(work / f"memory{count}", count)
        peaks.append(
            measure(convert(work / f"memory{count}", fresh(work / f"memory-out{count}"), 1)()).peak
        )
        shutil.rmtree(work / f"memory{count}")
    share = peaks[1] / peaks[0]
    row(
        f"peak memory, {large} images / {small}",
        f"{peaks[1]:.0f} / {peaks[0]:.0f} MiB = {share:.2f}x",
        "<= 1.1x",
        share <= 1.1,
    )


def start_up(rounds: int) -> None:
    click = [sys.executable, "-c", "import click"]
    script = [str(Path(sys.executable).with_name("segprep")), "--help"]
    for name, command in (
        ("segprep --help", script),
        ("import segprep", [sys.executable, "-c", "import segprep"]),
    ):
        share = ratio(*interleaved(rounds, lambda: click, lambda command=command: command), "wall")  # type: ignore[misc]
        row(f"{name} / import click, wall", f"{share:.2f}x", "<= 1.5x", share <= 1.5)


def again(source: Path, work: Path) -> None:
    command = convert(source, lambda: str(work / "again"), 1)()
    first, second = measure(command), measure(command)
    row("a run without change / the first run, CPU", f"{second.cpu / first.cpu:.2f}x")


def splitting(small: int, large: int) -> None:
    from random import Random

    from segprep.splitting.partition import assign, cut

    took = []
    for count in (small, large):
        stems = [f"s{n}" for n in range(count)]
        started = time.process_time()
        assign(stems, {stem: stem for stem in stems}, cut(count, (70, 20, 10)), Random(1), {}, None)
        took.append(time.process_time() - started)
    row(
        f"sharing out {large} samples / {small}, CPU",
        f"{took[1] / took[0]:.1f}x",
        "<= 12x",
        took[1] / took[0] <= 12,
    )


def main(quick: bool) -> None:
    count, rounds = (60, 2) if quick else (300, 5)
    work = Path(tempfile.mkdtemp(prefix="segprep-bench-"))
    try:
        annotations.write(work / "source", count)
        against_labelme(work / "source", work, count, rounds)
        workers(work / "source", work, rounds)
        again(work / "source", work)
        memory(work, *((30, 60) if quick else (300, 3000)))
        start_up(5 if quick else 15)
        splitting(10_000, 100_000)
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    print(processor.name())
    main("--quick" in sys.argv[1:])
