"""``make bench-scale``: how time and memory grow with the number of samples, and a plot of it.

    python tests/benchmarks/scale.py [MOST] [--least LEAST] [--work FOLDER] [--plot FILE.svg]

From LEAST (100) to MOST (10000) samples, ten times as many in each step; 1000000 takes hours and
13 GB of disk. Every step runs as a process of its own; memory is the peak of the largest one.
"""

import argparse
import os
import shutil
import tempfile
import time
from pathlib import Path

import processor
import tiny
from measuring import SEGPREP, Run, measure, passing

SETTLED = 2.5  # seconds after which the index believes in the times of a file
LARGEST = {"again, --verify": 100_000}  # samples up to which a step is run


def commands(source: Path, tree: Path) -> dict[str, list[str]]:
    """The commands of all steps, in order."""
    convert = ["convert", "pairs", str(source), str(tree), "--classes", "3", "-q"]
    masks = str(tree / "SegmentationClass")
    return {
        "convert": convert,
        "again": convert,
        "again, 1 % changed": convert,
        "again, --verify": [*convert, "--verify"],
        "split": ["split", str(tree), "-q"],
        "info": ["info", str(tree), "-q"],
        "check": ["check", str(tree), "-q"],
        "miou": ["miou", masks, "-d", str(tree), "-q"],
        "verify": ["verify", str(tree), "-q"],
    }


def curve(least: int, most: int, folder: Path | None = None) -> dict[str, list[tuple[int, Run]]]:
    """Step -> (samples, run), for *least*, ten times as many, … *most* samples."""
    results: dict[str, list[tuple[int, Run]]] = {}
    with tempfile.TemporaryDirectory(prefix="segprep-scale-", dir=folder) as name:
        count = least
        while count <= most:
            work = Path(name) / str(count)
            source = tiny.write(work / "source", count)
            for step, arguments in commands(source, work / "tree").items():
                if count > LARGEST.get(step, most):
                    continue
                if step == "again, 1 % changed":
                    tiny.touch(source, 100)
                time.sleep(SETTLED)
                run = measure(passing(*SEGPREP, *arguments))
                results.setdefault(step, []).append((count, run))
                _tell(step, results[step])
            shutil.rmtree(work)
            count *= 10
    return results


def _tell(step: str, runs: list[tuple[int, Run]]) -> None:
    count, run = runs[-1]
    growth = f"{run.cpu / runs[-2][1].cpu:>6.1f}x" if len(runs) > 1 else ""
    each = 1000 * run.cpu / count
    print(
        f"{count:>9} {step:<18} {run.cpu:>9.2f} s CPU {each:>8.3f} ms a sample {run.wall:>7.0f} s"
        f" {run.peak:>6.0f} MiB, load {os.getloadavg()[0]:>4.1f} {growth}",
        flush=True,
    )


def table(results: dict[str, list[tuple[int, Run]]]) -> str:
    """Time and memory of each step by the number of samples, in Markdown."""
    counts = [f"{count:,}" for count, _ in results["convert"]]
    lines = [["step", *counts], ["---"] * (1 + len(counts))]
    for step, runs in results.items():
        lines.append([step, *(f"{run.cpu:.2f} s, {run.peak:.0f} MiB" for _, run in runs)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def plot(results: dict[str, list[tuple[int, Run]]], path: Path) -> None:
    """Time and memory over the number of samples, both axes logarithmic."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    matplotlib.rcParams["svg.hashsalt"] = "segprep"
    figure, (time, memory) = pyplot.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
    for step, runs in results.items():
        counts = [count for count, _ in runs]
        time.plot(counts, [run.cpu for _, run in runs], marker="o", label=step)
        memory.plot(counts, [run.peak for _, run in runs], marker="o", label=step)
    for axes, title in ((time, "CPU time, s"), (memory, "peak memory, MiB")):
        axes.set(xscale="log", xlabel="samples", title=title)
        axes.grid(alpha=0.3)
    time.set_yscale("log")
    memory.set_ylim(bottom=0)
    time.legend()
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("most", type=int, nargs="?", default=10_000)
    parser.add_argument("--least", type=int, default=100)
    parser.add_argument("--work", type=Path, help="where files are written, not /tmp")
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    print(processor.name(), flush=True)
    curves = curve(options.least, options.most, options.work)
    print(table(curves))
    if options.plot:
        plot(curves, options.plot)
