"""Export and tile against ``cp -r`` of the bytes that they write; part of ``make bench``, or by
itself:

    .venv/bin/python tests/benchmarks/exporting.py [IMAGES]

Generated photographs of 1600x1200 pixels (JPEG) with palette masks. Each time is the median of
three runs in one process, each with fresh output; ``cp -r`` copies what the export wrote, links
followed, from the page cache. An export checks every mask (by its digest where segprep made the
dataset, pixel by pixel where it did not), takes the digest of every file, and forces what it wrote
to the disk before it appears, so that the copy is measured with ``sync``, too. CPU seconds (user
and system) hardly depend on what else the machine does. A tile is decoded and encoded: a tenth of
the images are cut.
"""

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image, ImageFilter

import segprep
from segprep.dataset.tree_files import list_bytes
from segprep.imaging.image import encode_mask

RUNS = 3
_NUMBERS = count()
LINKS, COPIES = 0.5, 1.3  # of the time of cp -r


def write(folder: Path, images: int) -> Path:
    """A VOC-style tree of *images* samples, all in train."""
    random = np.random.default_rng(5)
    for name in ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation"):
        (folder / name).mkdir(parents=True)
    noise = Image.fromarray(random.integers(0, 256, (1200, 1600, 3)).astype(np.uint8))
    base = np.asarray(noise.filter(ImageFilter.GaussianBlur(1.2)))
    stems = [f"p{n:04}" for n in range(images)]
    for n, stem in enumerate(stems):
        picture = Image.fromarray(np.roll(base, 7 * n, axis=1))
        picture.save(folder / f"JPEGImages/{stem}.jpg", quality=85)
        mask = np.zeros((1200, 1600), np.uint8)
        for value in range(1, 9):
            top, left = random.integers(0, 900, 2)
            mask[top : top + 200, left : left + 300] = value
        (folder / f"SegmentationClass/{stem}.png").write_bytes(encode_mask(mask))
    names = "".join(f"class{n}\n" for n in range(9))
    (folder / "class_names.txt").write_text("_background_\n" + names)
    (folder / "ImageSets/Segmentation/train.txt").write_bytes(list_bytes(stems))
    return folder


def spent() -> float:
    """CPU seconds of this process and of those that it waited for, so far."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(one.ru_utime + one.ru_stime for one in map(resource.getrusage, kinds))


def seconds(work: Callable[[Path], object], out: Path) -> tuple[float, float]:
    """The median time of *work*, and the median of its CPU seconds; what it wrote last is at *out*.

    Nothing is removed before the end: on ext4 new files cost several times as much right after
    thousands were deleted.
    """
    times, shares = [], []
    for _ in range(RUNS):
        if out.exists():
            out.rename(out.with_name(f"earlier-{next(_NUMBERS)}"))
        subprocess.run(["sync"], check=True)
        start, used = time.perf_counter(), spent()
        work(out)
        times.append(time.perf_counter() - start)
        shares.append(spent() - used)
    return median(times), median(shares)


def copied(source: Path, *, forced: bool = False) -> Callable[[Path], object]:
    """``cp -rL`` of *source*, and with *forced* ``sync`` after it."""

    def work(out: Path) -> None:
        subprocess.run(["cp", "-rL", source, out], check=True)
        if forced:
            subprocess.run(["sync"], check=True)

    return work


def compared(target: str, link: str, tree: Path, folder: Path) -> str:
    """One row: an export of *tree* against the copy of what it wrote."""
    taken, used = seconds(
        lambda out: segprep.export(target, tree, out, link=link),
        folder / "out",
    )
    plain, least = seconds(copied(folder / "out"), folder / "copy")
    forced, _ = seconds(copied(folder / "out", forced=True), folder / "copy")
    most = COPIES if link == "copy" else LINKS
    return (
        f"{tree.name} | {target} {link} | {taken:.2f} | {plain:.2f} | {forced:.2f}"
        f" | {taken / plain:.2f}x (meant: {most}x) | {used:.2f} | {least:.2f} | {used / least:.2f}x"
    )


def main() -> None:
    """Print a row per export, and what it was meant to take at most."""
    images = int(sys.argv[1]) if sys.argv[1:] else 300
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        foreign, made = write(folder / "foreign", images), folder / "made"
        segprep.convert("voc", foreign, made)
        print(f"{images} images of 1600x1200")
        print("tree | export | seconds | cp -r | cp -r; sync | of cp -r | CPU | cp -r | of cp -r")
        for tree in (made, foreign):
            for link, target in (
                ("sym", "ultralytics"),
                ("hard", "ultralytics"),
                ("copy", "ultralytics"),
                ("copy", "monai"),
            ):
                print(compared(target, link, tree, folder), flush=True)
        few = write(folder / "few", max(1, images // 10))
        taken, used = seconds(
            lambda out: segprep.tile(few, out, image_format="jpg"), folder / "out"
        )
        plain, least = seconds(copied(folder / "out"), folder / "copy")
        print(f"few | tile, JPEG | {taken:.2f} | {plain:.2f} | | {taken / plain:.2f}x", end="")
        print(f" | {used:.2f} | {least:.2f} | {used / least:.2f}x")


if __name__ == "__main__":
    main()
