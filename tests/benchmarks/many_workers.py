"""``python tests/benchmarks/many_workers.py --jobs 1 2 4 8 16``: wall time of whole commands with
more and more workers, start-up included, on an idle machine with that many processors.

Behind each time stand the speed-up against the first of *jobs* and the CPU time of all processes
as a multiple of that of the first: what shared memory and handing out the work cost.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import median

import processor
from measuring import SEGPREP, fresh, measure, passing
from workers import commands

SMALL = ("json2mask, 300 ", "pairs, 5000 ")  # they take little more than their start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2, 4, 8, 16])
    parser.add_argument("--times", type=int, default=1, help="as much data as in bench-workers")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--work", type=Path, help="a folder for the data, not a temporary one")
    given = parser.parse_args()
    print(f"{processor.name()}; {given.rounds} rounds\n")
    print("| operation | " + " | ".join(f"`-j {jobs}`" for jobs in given.jobs) + " |")
    print("|---" * (1 + len(given.jobs)) + "|", flush=True)
    with tempfile.TemporaryDirectory(dir=given.work) as name:
        work = Path(name)
        chosen = [
            command
            for small, command in zip(
                commands(work, int), commands(work, lambda full: full * given.times), strict=True
            )
            if not any(part in small[0] for part in SMALL)
        ]
        with ProcessPoolExecutor() as processes:
            list(processes.map(written, [write for _, write, _ in chosen]))
        for title, _, words in chosen:
            out = fresh(work / f"outs of {title}")
            print(row(title, words, given.jobs, given.rounds, out), flush=True)


def written(write: Callable[[], object]) -> None:
    """Write the data of a command, in a process beside those of the others."""
    write()


def row(
    title: str, words: tuple[str, ...], jobs: list[int], rounds: int, out: Callable[[], str]
) -> str:
    """The finished row of a command."""
    runs = {
        count: [
            measure(
                passing(
                    *SEGPREP,
                    *(out() if word == "OUT" else word for word in words),
                    "-q",
                    "-j",
                    str(count),
                )
            )
            for _ in range(rounds)
        ]
        for count in jobs
    }
    walls = [median(run.wall for run in runs[count]) for count in jobs]
    used = [median(run.cpu for run in runs[count]) for count in jobs]
    cells = [
        f"{wall:.2f} s ({walls[0] / wall:.1f}, {cpu / used[0]:.2f})"
        for wall, cpu in zip(walls, used, strict=True)
    ]
    return f"| {title} | {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main())
