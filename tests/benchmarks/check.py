"""What ``segprep check`` costs against decoding every image and mask once, and how it grows.

python tests/benchmarks/check.py [TREE ...]     generated scenes of 500 x 375 without a TREE
"""

import sys
import tempfile
from pathlib import Path
from time import process_time

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "mutation"))
import scenes

from segprep import checking, checks
from segprep.dataset.tree import Tree


def decoded(place: Tree) -> float:
    """Seconds of CPU time to decode every image and mask with Pillow."""
    began = process_time()
    for stem in place.stems():
        for path in (place.image_path(stem), place.mask_path(stem)):
            assert path
            with Image.open(path) as picture:
                np.asarray(picture)
    return process_time() - began


def checked(place: Tree, ignore: tuple[str, ...] = ()) -> float:
    began = process_time()
    checking.check(place.root, ignore=ignore)
    return process_time() - began


def measure(place: Tree) -> tuple[float, float, float]:
    """The best of three: decoding, check without rules that search duplicates, check."""
    checks.rules()
    return (
        min(decoded(place) for _ in range(3)),
        min(checked(place, ("SEG5",)) for _ in range(3)),
        min(checked(place) for _ in range(3)),
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        places = [Tree(Path(one)) for one in sys.argv[1:]] or [
            scenes.make(Path(folder) / str(count), count, size=(500, 375)) for count in (60, 600)
        ]
        times = []
        for place in places:
            plain, few, full = measure(place)
            times.append(full)
            print(f"{place.root.name}: {len(place.stems())} samples: decoding {plain:.2f} s,"
                  f" check without duplicates {few:.2f} s ({few / plain:.2f}x),"
                  f" check {full:.2f} s ({full / plain:.2f}x)")  # fmt: skip
        if len(times) > 1:
            print(f"ten times the samples: {times[1] / times[0]:.1f} times the time")


if __name__ == "__main__":
    main()
