"""DSB2018, one file for each nucleus: ``segprep convert`` against the floor of decoding the masks.

Real data where SEGPREP_REAL_DATA holds dsb2018/; else images of 256 x 256 to 1024 x 1024 with 40
nuclei each, saved by Pillow.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from measuring import SEGPREP, WITHOUT_KERNEL, Comparison, Row, Size, to_fresh
from PIL import Image

FLOOR = """
import sys
from pathlib import Path
from PIL import Image
for path in Path(sys.argv[1]).rglob("masks/*.png"):
    with Image.open(path) as picture:
        picture.load()
"""
PEER = "Pillow decodes the masks"


def comparisons(work: Path, size: Size) -> Iterator[Comparison]:
    real = Path(os.environ.get("SEGPREP_REAL_DATA", work)) / "dsb2018"
    source = real if real.is_dir() else write(work / "source", size(60))
    words = ("convert", "dsb2018", str(source), "OUT", "-q", "-j", "1")
    yield Comparison(
        {
            "kernel": to_fresh(work / "kernel", *SEGPREP, *words),
            "plain": to_fresh(work / "plain", *WITHOUT_KERNEL, *words),
            PEER: [sys.executable, "-c", FLOOR, str(source)],
        },
        [
            Row(f"convert dsb2018, {len(list(source.iterdir()))} images", "kernel", PEER, 0.25),
            Row("  without the kernel", "plain", PEER, 0.43),
        ],
    )


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
