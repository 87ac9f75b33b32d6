"""``segprep check`` against decoding every image and mask once with Pillow; then the search for
look-alikes among ten times as many thumbnails.

    python tests/benchmarks/checking.py COUNT     the search, by itself
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from measuring import HERE, SEGPREP, Comparison, Row, Size, passing

sys.path.insert(0, str(HERE.parent / "mutation"))
import scenes

from segprep.imaging import likeness

FLOOR = """
import sys
from pathlib import Path
import numpy as np
from PIL import Image
for name in ("JPEGImages", "SegmentationClass"):
    for path in (Path(sys.argv[1]) / name).iterdir():
        with Image.open(path) as picture:
            np.asarray(picture)
"""
PEER = "Pillow decodes images and masks"


def comparisons(work: Path, size: Size) -> Iterator[Comparison]:
    for count, side in ((size(600), (500, 375)), (size(3000), (96, 64))):
        tree = str(scenes.make(work / f"scenes{side[0]}", count, size=side).root)
        check = (*SEGPREP, "check", tree, "-q", "-j", "1")
        yield Comparison(
            {
                "few": passing(*check, "--ignore", "SEG5"),
                "all": passing(*check),
                PEER: [sys.executable, "-c", FLOOR, tree],
            },
            [
                Row(f"check, {count} of {side[0]} x {side[1]}, no duplicates", "few", PEER, 1.5),
                Row("  with the search for duplicates", "all", PEER, 2),
            ],
        )
    few = max(200, size(10_000))
    many = 10 * few
    names = {count: f"among {count}" for count in (few, many)}
    yield Comparison(
        {name: [sys.executable, __file__, str(count)] for count, name in names.items()},
        [Row(f"look-alikes among {many} thumbnails", names[many], names[few], 12, "printed")],
    )


def searched(count: int) -> float:
    """CPU seconds of a search among *count* thumbnails, one in a hundred of them in twice,
    mirrored.
    """
    from time import process_time

    stack = np.random.default_rng(0).integers(0, 256, (count, 32, 32), dtype=np.uint8)
    copies = count // 100
    stack[count // 2 : count // 2 + copies] = stack[:copies, :, ::-1]
    began = process_time()
    assert sum(1 for _ in likeness.pairs(list(stack))) >= copies
    return process_time() - began


if __name__ == "__main__":
    print(searched(int(sys.argv[1])))
