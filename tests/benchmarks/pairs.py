"""Images and masks in folders: ``segprep convert pairs`` against decoding the masks and copying."""

import sys
from collections.abc import Iterator
from pathlib import Path

import tiny
from measuring import SEGPREP, WITHOUT_KERNEL, Comparison, Row, Size, to_fresh

FLOOR = """
import shutil, sys
from pathlib import Path
from PIL import Image
source, out = map(Path, sys.argv[1:])
for name in ("images", "masks"):
    (out / name).mkdir(parents=True)
    for path in (source / name).iterdir():
        shutil.copy(path, out / name)
for path in (source / "masks").iterdir():
    with Image.open(path) as picture:
        picture.load()
"""
PEER = "Pillow decodes the masks, files copied"


def comparisons(work: Path, size: Size) -> Iterator[Comparison]:
    for count, side in ((size(300), 512), (size(5000), 32)):
        home = work / str(side)
        source = str(tiny.write(home / "source", count, side))
        words = ("convert", "pairs", source, "OUT", "--classes", "3", "-q", "-j", "1")
        yield Comparison(
            {
                "kernel": to_fresh(home / "kernel", *SEGPREP, *words),
                "plain": to_fresh(home / "plain", *WITHOUT_KERNEL, *words),
                PEER: to_fresh(home / "peer", sys.executable, "-c", FLOOR, source, "OUT"),
            },
            [
                Row(f"convert pairs, {count} of {side} x {side}", "kernel", PEER),
                Row("  without the kernel", "plain", PEER),
            ],
        )
