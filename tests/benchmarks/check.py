"""What ``segprep check`` costs against decoding every image and mask once, and how it grows.

python tests/benchmarks/check.py [TREE ...]     generated scenes of 500 x 375 without a TREE

CPU seconds, the best of three; every measurement in a process of its own, so that what one of them
does to the memory does not help the other. Then the search for look-alikes among 10,000 and
100,000 generated thumbnails: seconds and peak memory.
"""

import multiprocessing
import resource
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import process_time

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "mutation"))
import scenes

from segprep import checking, checks
from segprep.dataset.tree import Tree
from segprep.imaging import likeness


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
    """Seconds of CPU time of a check."""
    checks.rules()
    began = process_time()
    checking.check(place.root, ignore=ignore)
    return process_time() - began


def best(work: Callable[..., float], *given: object) -> float:
    """The least of three, each in a fresh process."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1, maxtasksperchild=1) as pool:
        return min(pool.apply(work, given) for _ in range(3))


def measure(place: Tree) -> tuple[float, float, float]:
    """Decoding, check without rules that search duplicates, check."""
    return best(decoded, place), best(checked, place, ("SEG5",)), best(checked, place)


def searched(count: int) -> tuple[float, float, int]:
    """Seconds and peak MiB of a search among *count* thumbnails, and what it found of one in a
    hundred that are in twice, mirrored.
    """
    stack = np.random.default_rng(0).integers(0, 256, (count, 32, 32), dtype=np.uint8)
    copies = count // 100
    stack[count // 2 : count // 2 + copies] = stack[:copies, :, ::-1]
    began = process_time()
    found = sum(1 for _ in likeness.pairs(list(stack)))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return process_time() - began, peak, found


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
    for count in (10_000, 100_000):
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            seconds, peak, found = pool.apply(searched, (count,))
        print(f"{count:,} thumbnails: {seconds:.1f} s, {peak:.0f} MiB, {found} pairs found")


if __name__ == "__main__":
    main()
