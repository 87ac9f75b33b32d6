"""Crash sweep: stop segprep at every change it makes to its output, re-run the command,
compare with an undisturbed run.

    .venv/bin/python tests/crash/sweep.py                    every point: two hours
    .venv/bin/python tests/crash/sweep.py --points 40        a sample spread over all of them: the
    gate's share
    .venv/bin/python tests/crash/sweep.py --jobs 16 --max-seconds 400 --table points.md
    .venv/bin/python tests/crash/sweep.py --scenario update --mode kill --pairs 100

A point is the n-th moment at which the command opens a file of OUT for writing, renames, removes or
makes something there (CPython's audit events; reading does not count). In a forked child, at that
moment:

    kill   the process is killed (SIGKILL)
    torn   the next file that is written ends after 50 bytes, and the process with it
    error  this one operation fails with ENOSPC
    full   this and every later creation, write and rename fails with ENOSPC; removing still works
    rofs   this and every later change fails with EROFS
    eio    this one operation fails with EIO
    denied this and every later change fails with EACCES
    files  this and every later opening fails with EMFILE
    short  from here on no file can grow beyond 50 bytes (EFBIG in the middle of a write)

The errors are raised at the call, so they reach root as well as anybody. Folders are listed in a
random order that differs from point to point. After each point: no source byte has changed; a tree
with a manifest is whole (every digest holds); failing operations end with exit 1, the code
write-failed, the path and no traceback; the same command again ends as the undisturbed run did,
byte-identical, nothing left over.

--pairs N also disturbs the second run (N random pairs per scenario). Points are tried in an order
that is spread evenly over scenarios and modes, by --jobs processes, until --max-seconds have
passed. Prints one line per violation and one JSON line of figures at the end; exit 1 if anything
was violated.
"""

import argparse
import importlib
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # test modules share helpers

from crash.faults import MODES
from crash.points import Field, Point
from crash.scenarios import SCENARIOS
from shards import results, spread


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--points", type=int, help="about so many points altogether, not all")
    parser.add_argument("--pairs", type=int, default=0, help="random pairs of faults per scenario")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--mode", action="append", choices=MODES)
    parser.add_argument("--scenario", action="append", choices=SCENARIOS)
    parser.add_argument("--last", type=int, default=0, help="only so many points at the end")
    parser.add_argument("--at", type=int, help="this point only")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--max-seconds", type=float, help="begin no point after so many seconds")
    parser.add_argument("--table", type=Path, help="a Markdown table of the points is written here")
    return parser.parse_args()


def points(
    given: argparse.Namespace, totals: dict[str, int], rng: random.Random
) -> Iterator[Point]:
    """The points to try, where the scenarios have *totals* of them."""
    modes = tuple(given.mode or MODES)
    each = max(1, given.points // (len(totals) * len(modes))) if given.points else 0
    for name, total in totals.items():
        every = range(max(1, total + 1 - given.last) if given.last else 1, total + 1)
        for mode in modes:
            chosen = rng.sample(every, min(each, len(every))) if each else list(every)
            for at in [given.at] if given.at else chosen:
                yield Point(name, ((mode, at),))
        for _ in range(given.pairs if total else 0):
            yield Point(name, tuple((rng.choice(modes), rng.randint(1, total)) for _ in range(2)))


def trial(work: Path, number: int) -> Callable[[Any], Any]:
    """The work of process *number*: a scenario's name is prepared, a point is tried."""
    field = Field(work, number)

    def tried(case: "str | Point") -> Any:
        return field.prepare(case) if isinstance(case, str) else field.violations(case)

    return tried


def table(planned: list[Point], tried: list[Point], faulty: list[Point]) -> str:
    """Points tried of those planned, per scenario and mode; violated ones behind a "!"."""
    of, done, bad = (Counter(point.kind for point in chosen) for chosen in (planned, tried, faulty))
    columns = [mode for mode in (*MODES, "pair") if any(kind[1] == mode for kind in of)]
    lines = [f"| scenario | {' | '.join(columns)} |", "| --- |" + " --- |" * len(columns)]
    for name in sorted({point.scenario for point in planned}, key=list(SCENARIOS).index):
        cells = [
            f"{done[kind]} of {of[kind]}" + (f" !{bad[kind]}" if bad[kind] else "")
            for kind in ((name, column) for column in columns)
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    given, started = options(), time.monotonic()
    rng, violations = random.Random(given.seed), 0
    tried, faulty, totals = list[Point](), list[Point](), dict[str, int]()
    with tempfile.TemporaryDirectory(prefix="segprep-sweep-") as folder:
        begin = partial(trial, Path(folder).resolve())
        names = given.scenario or list(SCENARIOS)
        for module in {module for name in names for module in SCENARIOS[name].imports}:
            importlib.import_module(module)
        for name, (total, wrong) in results(names, begin, jobs=given.jobs):
            totals[name] = total
            violations += bool(wrong)
            print(f"{name}: {wrong}\n" if wrong else "", end="", flush=True)
        totals = {name: totals[name] for name in names}
        planned = spread(points(given, totals, rng), lambda point: point.kind, rng)
        left = given.max_seconds and max(1.0, given.max_seconds - (time.monotonic() - started))
        for point, wrong in results(planned, begin, jobs=given.jobs, seconds=left):
            tried.append(point)
            told = [str(wrong)] if isinstance(wrong, Exception) else wrong
            faulty += [point] if told else []
            violations += len(told)
            for words in told:
                print(f"{' '.join(point.kind)} {list(point.faults)}: {words}", flush=True)
        os.chdir("/")
    if given.table:
        given.table.write_text(table(planned, tried, faulty))
    figures = {
        "points": len(tried),
        "of": len(planned),
        "pairs": sum(len(point.faults) > 1 for point in tried),
        "violations": violations,
        "reachable": totals,
        "seconds": round(time.monotonic() - started, 1),
    }
    print(json.dumps(figures))
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
