"""What forcing files to the disk costs: the same conversion with and without fsync, in turns.

    python tests/benchmarks/syncing.py [FILES] [--rounds N] [--folder FOLDER]

FILES is 10000 unless given: half of them images, half masks. FOLDER must lie on the disk that is
meant, not in memory. Prints the wall time of each round and the ratio of the medians.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import tiny

PROGRAM = (
    "import os, sys\n"
    "if sys.argv.pop(1) == 'without': os.fsync = lambda handle: None\n"
    "from segprep_cli.main import group\n"
    "group(sys.argv[1:], prog_name='segprep')\n"
)


def seconds(how: str, source: Path, tree: Path) -> float:
    """The wall time of converting *source*, *how* being with or without."""
    shutil.rmtree(tree, ignore_errors=True)
    os.sync()
    started = time.monotonic()
    command = ["convert", "pairs", str(source), str(tree), "--classes", "3", "-q"]
    subprocess.run([sys.executable, "-c", PROGRAM, how, *command], check=True)
    return time.monotonic() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("files", type=int, nargs="?", default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    times: dict[str, list[float]] = {"with": [], "without": []}
    with tempfile.TemporaryDirectory(prefix="segprep-sync-", dir=given.folder) as name:
        source = tiny.write(Path(name) / "source", given.files // 2)
        for number in range(given.rounds):
            for how in list(times)[:: 1 if number % 2 else -1]:
                times[how].append(seconds(how, source, Path(name) / "tree"))
                print(f"{how:8} {times[how][-1]:6.2f} s", flush=True)
    medians, least = (
        [pick(times[how]) for how in ("with", "without")] for pick in (statistics.median, min)
    )
    print(f"median {medians[0] / medians[1]:.3f}x, fastest {least[0] / least[1]:.3f}x")


if __name__ == "__main__":
    main()
