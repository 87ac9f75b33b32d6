"""Programs that run in turn, and the rows of the table that say how they compare.

A module with ``comparisons(work, size)`` is a part of ``make bench``; *work* is a folder for its
data, ``size(300)`` is 300 in a full run, and fewer in a short one.
"""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SEGPREP = (sys.executable, "-m", "segprep_cli")
WITHOUT_KERNEL = ("env", "SEGPREP_KERNEL=0", *SEGPREP)
WRAPPER = """
import json, resource, subprocess, sys, time
start = time.perf_counter()
done = subprocess.run(sys.argv[1:], capture_output=True, text=True)
wall, used = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
last = [(text.strip().splitlines() or [""])[-1] for text in (done.stdout, done.stderr)]
cpu, peak = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
print(json.dumps([done.returncode, cpu, wall, peak, *last]))
"""
Command = Sequence[str]
Size = Callable[[int], int]


class FailedError(Exception):
    """A program ended with an error; its last line says why."""


@dataclass(frozen=True)
class Run:
    """One finished program with its children: seconds of CPU and of wall, peak memory of the
    largest process in MiB, and the last line that it printed.
    """

    cpu: float
    wall: float
    peak: float
    line: str = ""

    @property
    def printed(self) -> float:
        """The seconds that the program itself measured."""
        return float(self.line)


@dataclass(frozen=True)
class Row:
    """One line of the table: *ours* against *peer*, names of programs; *figure* is what counts of
    each run; *most* is the goal for the ratio.
    """

    operation: str
    ours: str
    peer: str
    most: float | None = None
    figure: str = "cpu"


@dataclass(frozen=True)
class Comparison:
    """Programs by name, and the rows made of their runs. A program is its command, what makes one
    for each run, or in a word why it cannot run. *settled*: the disk is idle before each.
    """

    programs: Mapping[str, Command | Callable[[], Command] | str]
    rows: Sequence[Row]
    settled: bool = False
    missing: dict[str, str] = field(default_factory=dict)

    def lines(self, rounds: int) -> Iterator[str]:
        """Run every program *rounds* times, in turn; the finished rows."""
        runs: dict[str, list[Run]] = {name: [] for name in self.programs}
        needed = {row.ours for row in self.rows}
        for turn in range(rounds):
            for name, program in list(self.programs.items())[:: -1 if turn % 2 else 1]:
                if isinstance(program, str):
                    self.missing[name] = program
                elif name not in self.missing:
                    if self.settled:
                        os.sync()
                    try:
                        runs[name].append(measure(program() if callable(program) else program))
                    except FailedError as error:
                        if name in needed:
                            raise
                        self.missing[name] = str(error)
        for row in self.rows:
            if row.peer in self.missing:
                yield cells(row.operation, "", row.peer, f"not run: {self.missing[row.peer]}")
            else:
                yield shown(row, runs[row.ours], runs[row.peer])


def measure(command: Command) -> Run:
    """Run *command* in a process that reports its children's usage. FailedError where it fails."""
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONWARNINGS": "ignore"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package is compiled already
    wrapped = [sys.executable, "-c", WRAPPER, *command]
    output = subprocess.run(wrapped, check=True, capture_output=True, env=environment).stdout
    status, cpu, wall, peak, line, problem = json.loads(output)
    if status:
        raise FailedError(problem or f"{shlex.join(command)}: exit {status}")
    return Run(cpu, wall, peak, line)


def shown(row: Row, ours: Sequence[Run], theirs: Sequence[Run]) -> str:
    """The finished row: medians, the median of the ratios run by run, their least and greatest."""
    first, second = ([getattr(run, row.figure) for run in runs] for runs in (ours, theirs))
    ratios = sorted(a / b for a, b in zip(first, second, strict=True))
    ratio = median(ratios)
    peaks = [max(run.peak for run in runs) for runs in (ours, theirs)]
    goal = "" if row.most is None else f"<= {row.most:.3g}{'' if ratio <= row.most else ', missed'}"
    return cells(
        row.operation + (", wall time" if row.figure == "wall" else ""),
        f"{median(first):.3g} s",
        f"{row.peer}: {median(second):.3g} s",
        f"{ratio:.2f}" + (f" (1/{1 / ratio:.1f})" if ratio < 0.67 else ""),
        f"{ratios[0]:.2f} to {ratios[-1]:.2f}",
        f"{peaks[0]:.0f}, {peaks[1]:.0f} MiB",
        goal,
    )


def cells(*texts: str) -> str:
    """A line of the table, in Markdown."""
    widths = (52, 8, 46, 12, 12, 13, 14)
    padded = (text.ljust(width) for text, width in zip((*texts, *[""] * 7), widths, strict=False))
    return f"| {' | '.join(padded)} |"


def head(ours: str = "segprep") -> str:
    """The first two lines of the table."""
    names = cells("operation", ours, "peer or floor", "ratio", "spread", "memory", "goal")
    return f"{names}\n{'|---' * 7}|"


def peer_python(name: str) -> str:
    """The Python of ``make oracles``' environment *name*, or "" where there is none."""
    path = ROOT / f".venv-{name}" / "bin" / "python"
    return os.environ.get(f"SEGPREP_{name.upper()}_PYTHON", str(path) if path.exists() else "")


def of_peer(
    name: str, make: Callable[[str], Command | Callable[[], Command]]
) -> Command | Callable[[], Command] | str:
    """The program that *make* makes of the Python of *name*, or why there is none."""
    python = peer_python(name)
    return make(python) if python else f"there is no .venv-{name}: make oracles"


def versions(python: str, packages: Sequence[str]) -> str:
    """The *packages* of an environment with their versions."""
    code = (
        "import sys; from importlib import metadata\n"
        "for name in sys.argv[1:]:\n"
        " try: print(name, metadata.version(name), end=', ')\n"
        " except metadata.PackageNotFoundError: pass"
    )
    shown = subprocess.run([python, "-c", code, *packages], capture_output=True, text=True)
    return shown.stdout.strip(", ")


def fresh(folder: Path) -> Callable[[], str]:
    """A new output folder at each call. None is removed before the end: that would cost the run
    that follows up to .6 s of system time.
    """
    counter = iter(range(1_000_000))
    folder.mkdir(parents=True, exist_ok=True)
    return lambda: str(folder / str(next(counter)))


def to_fresh(folder: Path, *command: str) -> Callable[[], Command]:
    """*command* with a new folder below *folder* in place of each OUT."""
    name = fresh(folder)

    def program() -> Command:
        out = name()
        return [out if word == "OUT" else word for word in command]

    return program


def passing(*command: str) -> Command:
    """*command*, whose exit code 1 is no failure: findings."""
    return ["sh", "-c", '"$@" || [ $? -eq 1 ]', "sh", *command]
