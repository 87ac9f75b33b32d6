"""Export and tile against ``cp -r`` of the bytes that they write; part of ``make bench``, or by
itself:

    .venv/bin/python tests/benchmarks/exporting.py [IMAGES] [PHOTOGRAPH]

Generated photographs of 1600x1200 pixels (JPEG of half a megabyte; with PHOTOGRAPH of that many
kilobytes) with palette masks, or copies of them where more than 300 are wanted. Each figure is of a
whole process with its start, the median of three in turn with ``cp -r`` of what the export writes,
links followed, from the page cache, alone and with ``sync``: an export forces what it wrote to the
disk before it appears. Two trees: one that segprep made and nobody touched since, whose files need
not be read, and one of other hands, each of whose masks is decoded and whose files are hashed. CPU
seconds (user and system) hardly depend on what else the machine does. A tile is decoded and
encoded: a tenth of the images are cut.
"""

import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image, ImageFilter

import segprep
from segprep.dataset.tree_files import list_bytes
from segprep.imaging.image import encode_mask

RUNS = 3
DRAWN = 300  # different photographs
LINKS, COPIES = 0.5, 1.3  # of the CPU time of cp -r
SEGPREP = [str(Path(sys.executable).with_name("segprep"))]
Cost = tuple[float, float]  # seconds, CPU seconds


def write(folder: Path, images: int, size: int = 0) -> Path:
    """A VOC-style tree of *images* samples, all in train; each image has *size* bytes or more."""
    random = np.random.default_rng(5)
    for name in ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation"):
        (folder / name).mkdir(parents=True)
    noise = Image.fromarray(random.integers(0, 256, (1200, 1600, 3)).astype(np.uint8))
    base = np.asarray(noise.filter(ImageFilter.GaussianBlur(1.2)))
    stems = [f"p{n:05}" for n in range(images)]
    for n, stem in enumerate(stems):
        photo, mask_file = folder / f"JPEGImages/{stem}.jpg", folder / f"SegmentationClass/{stem}"
        if n >= DRAWN:
            first = stems[n % DRAWN]
            data = (folder / f"JPEGImages/{first}.jpg").read_bytes()
            drawn = (folder / f"SegmentationClass/{first}.png").read_bytes()
        else:
            Image.fromarray(np.roll(base, 7 * n, axis=1)).save(photo, quality=85)
            data = photo.read_bytes()
            mask = np.zeros((1200, 1600), np.uint8)
            for value in range(1, 9):
                top, left = random.integers(0, 900, 2)
                mask[top : top + 200, left : left + 300] = value
            drawn = encode_mask(mask)
        photo.write_bytes(data + bytes(max(0, size - len(data))))
        mask_file.with_suffix(".png").write_bytes(drawn)
    names = "".join(f"class{n}\n" for n in range(9))
    (folder / "class_names.txt").write_text("_background_\n" + names)
    (folder / "ImageSets/Segmentation/train.txt").write_bytes(list_bytes(stems))
    return folder


def spent() -> float:
    """CPU seconds of the processes that this one waited for, so far."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def cost(*commands: list[str]) -> Cost:
    """The seconds and CPU seconds of *commands*, one after the other."""
    subprocess.run(["sync"], check=True)
    start, used = time.perf_counter(), spent()
    for command in commands:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start, spent() - used


def compared(command: list[str], folder: Path, most: float) -> str:
    """Cells: *command*, which writes to the folder that is its last word, against the copy of what
    it writes; nothing is removed before the next row: on ext4 new files cost several times as much
    right after thousands were deleted.
    """
    costs: dict[str, list[Cost]] = defaultdict(list)
    for run in range(RUNS):
        out, copy, forced = (str(folder / f"{name}{run}") for name in ("out", "copy", "forced"))
        costs["own"].append(cost([*command, out]))
        costs["cp"].append(cost(["cp", "-rL", out, copy]))
        costs["forced"].append(cost(["cp", "-rL", out, forced], ["sync"]))
    for path in folder.iterdir():
        shutil.rmtree(path)
    wall = {name: median(seconds for seconds, _ in runs) for name, runs in costs.items()}
    cpu = {name: median(used for _, used in runs) for name, runs in costs.items()}
    return (
        f"{wall['own']:.2f} | {wall['cp']:.2f} | {wall['forced']:.2f}"
        f" | {wall['own'] / wall['cp']:.2f}x, {wall['own'] / wall['forced']:.2f}x"
        f" | {cpu['own']:.2f} | {cpu['cp']:.2f} | {cpu['own'] / cpu['cp']:.2f}x"
        + (f" (meant: {most}x)" if most else "")
    )


def main() -> None:
    """Print a row per export, and what it was meant to take at most."""
    images, size = (*map(int, sys.argv[1:]), *(300, 0)[len(sys.argv) - 1 :])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        foreign, made, outputs = folder / "foreign", folder / "made", folder / "outputs"
        write(foreign, images, 1000 * size)
        segprep.convert("voc", foreign, made)
        outputs.mkdir()
        load = json.dumps(Path("/proc/loadavg").read_text().split()[0])
        print(f"{images} images of 1600x1200, load {load}")
        print("tree | command | seconds | cp -r | cp -r; sync | of both | CPU | cp -r | of cp -r")
        for tree in (made, foreign):
            for link, target in (
                ("sym", "ultralytics"),
                ("copy", "ultralytics"),
                ("copy", "monai"),
                ("hard", "ultralytics"),  # last: a link changes the times of a file
            ):
                command = ["export", target, "-d", str(tree), "--link", link, "-q", "-j1"]
                most = COPIES if link == "copy" else LINKS
                cells = compared([*SEGPREP, *command], outputs, most)
                print(f"{tree.name} | {target} {link} | {cells}", flush=True)
        few = write(folder / "few", max(1, images // 10))
        command = ["tile", str(few), "--image-format", "jpg", "-q", "-j1"]
        print(f"few | tile, JPEG | {compared([*SEGPREP, *command], outputs, 0)}")


if __name__ == "__main__":
    main()
