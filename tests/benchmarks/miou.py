"""Figures of ``segprep miou``, as ratios against a peer or a floor that is measured in the same
run; medians of interleaved runs.

    python tests/benchmarks/miou.py [--quick]

The peers that need torch or torchmetrics are run by the Python that SEGPREP_METRICS_PYTHON names.
Nothing here is asserted: machines are noisy.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import processor
import streets
from miou_peers import histograms, joined
from run import Run, interleaved, measure, ratio, row, second_core

from segprep.metrics.counting import joint, tally

HERE = Path(__file__).parent
PYTHON = os.environ.get("SEGPREP_METRICS_PYTHON", "")
WITHOUT = "import os; os.environ['SEGPREP_KERNEL'] = '0'; from segprep_cli.main import main; main()"


def score(
    folder: Path, jobs: int = 1, compiled: bool = True, classes: int = streets.CLASSES
) -> Callable[[], list[str]]:
    return lambda: [
        *([sys.executable, "-m", "segprep_cli"] if compiled else [sys.executable, "-c", WITHOUT]),
        "miou",
        str(folder / "pred"),
        "--truth",
        str(folder / "truth"),
        "--classes",
        str(classes),
        "-j",
        str(jobs),
        "--json",
    ]


def peer(way: str, folder: Path, python: str = sys.executable) -> Callable[[], list[str]]:
    return lambda: [python, str(HERE / "miou_peers.py"), way, str(folder)]


def in_memory(rounds: int) -> None:
    """CPU time of counting one pair, several pairs in turn; all ways give the same counts."""
    from sklearn.metrics import confusion_matrix

    pairs = [streets.pair(number) for number in range(4)]
    noise = (
        np.random.default_rng(0)
        .integers(0, streets.CLASSES, (2, *pairs[0][0].shape))
        .astype(np.uint8)
    )
    ways: dict[str, Callable[[Any, Any], Any]] = {
        "bincount": joined,
        "segprep": lambda truth, pred: joint(truth.reshape(-1), pred.reshape(-1)),
        "the kernel": tally,
        "Hugging Face": histograms,
        "scikit-learn": lambda truth, pred: confusion_matrix(
            truth.ravel(), pred.ravel(), labels=range(streets.CLASSES)
        ),
    }
    took: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for truth, pred in pairs:
            for name, way in ways.items():
                if name != "scikit-learn" or len(took[name]) < 5:
                    took[name].append(cpu(way, truth, pred))
    counts, cells = joint(*(ids.reshape(-1) for ids in pairs[0])), tally(*pairs[0])
    assert np.array_equal(counts, joined(*pairs[0]))
    assert np.array_equal(counts[cells.truth * 256 + cells.pred], cells.pixels)
    per_pixel = {name: 1e9 * median(times) / pairs[0][0].size for name, times in took.items()}
    row("counting in memory, ns per pixel pair: bincount", f"{per_pixel['bincount']:.2f}")
    for name, goal in (("Hugging Face", 7), ("scikit-learn", 20)):
        share = per_pixel[name] / per_pixel["segprep"]
        row(f"  {name} / segprep", f"{share:.1f}x", f">= {goal}x", share >= goal)
    for name, least in (("segprep", 1.0), ("the kernel", 2.5)):
        share = per_pixel["bincount"] / per_pixel[name]
        row(f"  bincount / {name}", f"{share:.2f}x", f">= {least}x", share >= least)
    hard = [
        median(cpu(ways[name], *noise) for _ in range(rounds))
        for name in ("bincount", "segprep", "the kernel")
    ]
    row(
        "  the same on pure noise: bincount / segprep, / the kernel",
        f"{hard[0] / hard[1]:.2f}x, {hard[0] / hard[2]:.2f}x",
    )


def cpu(way: Callable[[Any, Any], Any], truth: Any, pred: Any) -> float:
    started = time.process_time()
    way(truth, pred)
    return time.process_time() - started


def end_to_end(folder: Path, rounds: int) -> None:
    """Whole processes over palette PNG files, start-up included, one core."""
    commands = [
        peer("decode", folder),
        score(folder, compiled=False),
        score(folder),
        peer("bincount", folder),
        peer("huggingface", folder),
    ]
    floor, plain, fast, numpy_only, hugging = interleaved(rounds, *commands)
    for name, runs, most in (("miou with NumPy", plain, 0.48), ("with the kernel", fast, 0.35)):
        share = ratio(floor, runs, "cpu")
        row(
            f"{name} / only decoding with Pillow, CPU",
            f"{share:.2f}x",
            f"<= {most}x",
            share <= most,
        )
    row("Pillow and bincount / segprep miou, CPU", f"{ratio(plain, numpy_only, 'cpu'):.2f}x")
    share = ratio(plain, hugging, "cpu")
    row("Hugging Face's way / segprep miou, CPU", f"{share:.2f}x", ">= 2.5x", share >= 2.5)
    peak = max(run.peak for run in (*plain, *fast))
    row("peak memory", f"{peak:.0f} MiB", "< 150 MB", peak * 1.048576 < 150)
    same = [
        json.loads(subprocess.run(command(), check=True, capture_output=True, text=True).stdout)[
            "confusion_matrix"
        ]
        for command in commands[1:3]
    ]
    row(
        "the same counts with and without the kernel",
        str(same[0] == same[1]),
        "True",
        same[0] == same[1],
    )


def torch_ways(folder: Path) -> None:
    for way in ("mmseg", "torchmetrics"):
        name = f"{way}'s way / segprep miou, CPU"
        if not PYTHON:
            row(name, "not run", "SEGPREP_METRICS_PYTHON is not set")
            continue
        theirs, ours = (
            measure(peer(way, folder, PYTHON)()),
            measure(score(folder, compiled=False)()),
        )
        row(name, f"{theirs.cpu / ours.cpu:.1f}x", ">= 2.5x", theirs.cpu / ours.cpu >= 2.5)


def workers(folder: Path, rounds: int) -> None:
    free = second_core()
    share = ratio(*interleaved(rounds, score(folder, 2), score(folder, 1)), "wall")
    row("wall time with one worker / with two", f"{share:.2f}x", ">= 1.6x", share >= 1.6)
    row("  the second core gave a pure CPU job", f"{free:.2f}x")


def many(work: Path, few: int, lots: int) -> None:
    """Tiny pairs: time and memory by their number."""
    runs: list[Run] = []
    for count in (few, lots):
        streets.write(work / str(count), count, 16, 16)
        runs.append(measure(score(work / str(count))()))
        shutil.rmtree(work / str(count))
    start = measure([sys.executable, "-c", "import segprep.evaluation"]).cpu
    slope = (runs[1].cpu - start) / (runs[0].cpu - start) / (lots / few)
    row(
        f"{lots} pairs of 16x16: time per pair / that of {few}",
        f"{slope:.2f}x",
        "<= 1.2x",
        slope <= 1.2,
    )
    row(
        "  microseconds per pair; peak memory of either",
        f"{1e6 * runs[1].cpu / lots:.0f}; {runs[0].peak:.0f}, {runs[1].peak:.0f} MiB",
        "",
        None,
    )


def main(quick: bool) -> None:
    count, rounds = (40, 2) if quick else (300, 5)
    work = Path(tempfile.mkdtemp(prefix="segprep-bench-"))
    try:
        in_memory(2 if quick else 7)
        streets.write(work / "streets", count)
        end_to_end(work / "streets", rounds)
        workers(work / "streets", rounds)
        streets.write(work / "some", min(count, 60))
        torch_ways(work / "some")
        many(work, *((500, 2000) if quick else (10_000, 100_000)))
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    print(processor.name())
    main("--quick" in sys.argv[1:])
