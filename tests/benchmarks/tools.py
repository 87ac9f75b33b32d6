"""``python tests/benchmarks/tools.py``: exports against what Datumaro makes of the same tree; CPU
time of whole processes, in turn. SEGPREP_DATUMARO_PYTHON names its Python, of ``make oracles``.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import processor
import tiny
from run import SEGPREP, fresh, interleaved, measure, ratio, row

DATUMARO = os.environ.get("SEGPREP_DATUMARO_PYTHON", "")
EXPORT = """
import sys
from datumaro import Dataset
tree = Dataset.import_from(sys.argv[1], "voc_segmentation")
tree.export(sys.argv[2], sys.argv[3], save_media=True)
"""
KINDS = {"voc": "voc_segmentation", "coco": "coco_instances", "datumaro": "datumaro"}


def _export(target: str, tree: str, out: Callable[[], str]) -> list[str]:
    return [*SEGPREP, "export", target, out(), "-d", tree, "-j", "1"]


def _datumaro(format: str, tree: str, out: Callable[[], str]) -> list[str]:
    return [DATUMARO, "-c", EXPORT, tree, out(), format]


def main(count: int, rounds: int) -> None:
    work = Path(tempfile.mkdtemp(prefix="segprep-bench-"))
    try:
        tiny.write(work / "source", count, side=256)
        tree = str(work / "tree")
        measure([*SEGPREP, "convert", "pairs", str(work / "source"), tree, "--classes", "3"])
        measure([*SEGPREP, "split", tree])
        for target, format in KINDS.items():
            name = f"Datumaro's CPU time / export {target}, {count} images of 256 x 256"
            if not DATUMARO:
                row(name, "not run", "SEGPREP_DATUMARO_PYTHON is not set")
                continue
            ours, theirs = fresh(work / f"{target}-ours"), fresh(work / f"{target}-theirs")
            runs = interleaved(
                rounds,
                partial(_export, target, tree, ours),
                partial(_datumaro, format, tree, theirs),
            )
            row(name, f"{ratio(*runs, 'cpu'):.1f}x")
            seconds = [median(run.cpu for run in side) for side in runs]
            peaks = [max(run.peak for run in side) for side in runs]
            row(
                "  CPU seconds; peak memory",
                f"{seconds[0]:.1f}, {seconds[1]:.1f} s; {peaks[0]:.0f}, {peaks[1]:.0f} MiB",
            )
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    print(processor.name())
    main(*((40, 1) if "--quick" in sys.argv[1:] else (300, 3)))
