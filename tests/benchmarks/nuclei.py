"""DSB2018 against the floor of decoding its masks with Pillow; part of ``make bench``, or by
itself:

    .venv/bin/python tests/benchmarks/nuclei.py [stage1_train/]

Without a folder (or SEGPREP_REAL_DATA, ../shared/data), generated images stand in: 60 of 256x256 to
1024x1024, 40 nuclei each, saved by Pillow.
"""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import processor
import run
from PIL import Image

from segprep.sources.dsb2018 import Reader

ROOT = Path(__file__).parents[2]
FLOOR = """
import sys
from pathlib import Path
from PIL import Image
for path in Path(sys.argv[1]).rglob("masks/*.png"):
    with Image.open(path) as picture:
        picture.load()
"""


def write(folder: Path, images: int = 60, nuclei: int = 40) -> Path:
    random = np.random.default_rng(7)
    for number in range(images):
        side = (256, 256, 320, 360, 520, 1024)[number % 6]
        home = folder / f"{number:064x}"
        for kind in ("images", "masks"):
            (home / kind).mkdir(parents=True)
        Image.fromarray(random.integers(0, 255, (side, side, 4), np.uint8)).save(
            home / "images" / f"{home.name}.png"
        )
        rows, columns = np.ogrid[:side, :side]
        for nucleus in range(nuclei):
            row, column, radius = (
                *random.integers(10, side - 10, 2).tolist(),
                int(random.integers(5, 12)),
            )
            disc = ((rows - row) ** 2 + (columns - column) ** 2 <= radius**2).astype(np.uint8) * 255
            Image.fromarray(disc).save(home / "masks" / f"{nucleus:064x}.png")
    return folder


def merging(source: Path) -> tuple[float, float]:
    """CPU seconds of reading and merging every item, and of decoding their masks with Pillow, in
    this process.
    """
    reader = Reader(source, objects=True)
    items = reader.scan().items
    reader.read(items[0])
    started = time.process_time()
    for item in items:
        reader.read(item)
    merged = time.process_time() - started
    started = time.process_time()
    for item in items:
        for path in item.labels:
            with Image.open(path) as picture:
                picture.load()
    return merged, time.process_time() - started


def convert(source: Path, out: Callable[[], str], jobs: int) -> Callable[[], list[str]]:
    return lambda: [*run.SEGPREP, "convert", "dsb2018", str(source), out(), "-q", "-j", str(jobs)]


def measure(source: Path, work: Path, rounds: int) -> None:
    one, two = run.fresh(work / "one"), run.fresh(work / "two")
    floor = [sys.executable, "-c", FLOOR, str(source)]
    runs = run.interleaved(rounds, lambda: floor, convert(source, one, 1), convert(source, two, 2))
    share = run.ratio(runs[0], runs[1], "cpu")
    run.row(
        "dsb2018 as a whole / only decoding its masks with Pillow, CPU",
        f"{share:.2f}x",
        "<= 1.6x",
        share <= 1.6,
    )
    pairs = [merging(source) for _ in range(rounds)]
    share = median(merged / decoded for merged, decoded in pairs)
    run.row("  reading and merging alone / decoding", f"{share:.2f}x", "<= 1.3x", share <= 1.3)
    share = run.ratio(runs[2], runs[1], "wall")
    run.row("  wall time with one worker / with two", f"{share:.2f}x", ">= 1.6x", share >= 1.6)
    run.row("  the second core gave a pure CPU job", f"{run.second_core():.2f}x")


def main(rounds: int = 5) -> None:
    real = Path(os.environ.get("SEGPREP_REAL_DATA", ROOT.parent / "shared" / "data")) / "dsb2018"
    given = next(
        (Path(argument) for argument in sys.argv[1:] if not argument.startswith("-")), real
    )
    work = Path(tempfile.mkdtemp(prefix="segprep-bench-"))
    try:
        measure((given if given.is_dir() else write(work / "source")).resolve(), work, rounds)
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    print(processor.name())
    main(2 if "--quick" in sys.argv[1:] else 5)
