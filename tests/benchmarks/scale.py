"""``make bench-scale``: how time and memory grow with the number of samples, and a plot of it.

    python tests/benchmarks/scale.py [MOST] [--least LEAST] [--work FOLDER] [--plot FILE.svg]
        [--points FILE.jsonl]

From LEAST (100) to MOST (10000) samples, ten times as many in each step; 1000000 takes hours and
13 GB of disk. Every step runs as a process of its own; memory is the peak of the largest one. What
is measured is added to FILE.jsonl, and plotted with what an earlier run measured, whose numbers of
samples are not run again: a million on one day, the rest on another.
"""

import argparse
import json
import os
import shutil
import tempfile
import time
from dataclasses import asdict
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


Results = dict[str, list[tuple[int, Run]]]


def curve(least: int, most: int, folder: Path | None = None, points: Path | None = None) -> Results:
    """Step -> (samples, run), for *least*, ten times as many, … *most* samples. Those of *points*
    are not run again; the others are added to it.
    """
    results = measured(points)
    known = {(step, count) for step, runs in results.items() for count, _ in runs}
    with tempfile.TemporaryDirectory(prefix="segprep-scale-", dir=folder) as name:
        count = least
        while count <= most:
            work = Path(name) / str(count)
            steps = {
                step: arguments
                for step, arguments in commands(work / "source", work / "tree").items()
                if count <= LARGEST.get(step, most)
            }
            if all((step, count) in known for step in steps):
                count *= 10
                continue
            source = tiny.write(work / "source", count)
            for step, arguments in steps.items():
                if step == "again, 1 % changed":
                    tiny.touch(source, 100)
                time.sleep(SETTLED)
                run = measure(passing(*SEGPREP, *arguments))
                if (step, count) not in known:
                    results.setdefault(step, []).append((count, run))
                    results[step].sort(key=lambda point: point[0])
                    if points:
                        with points.open("a") as file:
                            print(
                                json.dumps({"step": step, "count": count, **asdict(run)}), file=file
                            )
                _tell(step, count, run, dict(results[step]).get(count // 10))
            shutil.rmtree(work)
            count *= 10
    return results


def measured(points: Path | None) -> Results:
    """What *points* holds: an object of step, count, cpu, wall and peak in each line."""
    results: Results = {}
    for line in points.read_text().splitlines() if points and points.exists() else ():
        point = json.loads(line)
        run = Run(point["cpu"], point["wall"], point["peak"])
        results.setdefault(point["step"], []).append((point["count"], run))
    for runs in results.values():
        runs.sort(key=lambda point: point[0])
    return results


def _tell(step: str, count: int, run: Run, before: Run | None) -> None:
    growth = f"{run.cpu / before.cpu:>6.1f}x" if before else ""
    each = 1000 * run.cpu / count
    print(
        f"{count:>9} {step:<18} {run.cpu:>9.2f} s CPU {each:>8.3f} ms a sample {run.wall:>7.0f} s"
        f" {run.peak:>6.0f} MiB, load {os.getloadavg()[0]:>4.1f} {growth}",
        flush=True,
    )


def table(results: Results) -> str:
    """Time and memory of each step by the number of samples, in Markdown."""
    counts = sorted({count for runs in results.values() for count, _ in runs})
    lines = [["step", *(f"{count:,}" for count in counts)], ["---"] * (1 + len(counts))]
    for step, runs in results.items():
        told = {count: f"{run.cpu:.2f} s, {run.peak:.0f} MiB" for count, run in runs}
        lines.append([step, *(told.get(count, "") for count in counts)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def plot(results: Results, path: Path) -> None:
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
    parser.add_argument("--points", type=Path, help="what was measured before, and will be")
    options = parser.parse_args()
    print(processor.name(), flush=True)
    curves = curve(options.least, options.most, options.work, options.points)
    print(table(curves))
    if options.plot:
        plot(curves, options.plot)
