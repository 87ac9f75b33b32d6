"""Generated datasets without any fault: discs, boxes and thin lines on a textured ground."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from segprep import write_mask
from segprep.dataset.tree import LISTS, Tree
from segprep.dataset.tree_files import list_bytes

NAMES = ("_background_", "disc", "box", "line")
COLORS = ((96, 104, 88), (200, 60, 50), (40, 90, 190), (230, 220, 60))


def write_lists(root: Path, lists: Mapping[str, Sequence[str]]) -> None:
    (root / LISTS).mkdir(parents=True)
    for name, stems in lists.items():
        (root / LISTS / f"{name}.txt").write_bytes(list_bytes(stems))


def make(root: Path, count: int = 24, *, seed: int = 0, size: tuple[int, int] = (120, 96)) -> Tree:
    """A VOC-style tree of *count* scenes with lists; every object has a rim of ignored pixels."""
    rng = np.random.default_rng(seed)
    for name in ("JPEGImages", "SegmentationClass"):
        (root / name).mkdir(parents=True)
    for number in range(count):
        image, mask = scene(rng, *size)
        stem = f"scene_{number:03d}"
        Image.fromarray(image).save(root / "JPEGImages" / f"{stem}.jpg", quality=92)
        write_mask(root / "SegmentationClass" / f"{stem}.png", mask)
    stems = [f"scene_{number:03d}" for number in range(count)]
    first, second = count * 7 // 10, count * 9 // 10
    write_lists(root, {"train": stems[:first], "val": stems[first:second], "test": stems[second:]})
    (root / "class_names.txt").write_text("".join(f"{name}\n" for name in NAMES))
    return Tree(root)


def scene(rng: np.random.Generator, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """An image (H, W, 3) and its mask (H, W)."""
    drawn = Image.new("L", (width, height))
    pen = ImageDraw.Draw(drawn)
    for value in (1, 2, 3):
        for _ in range(int(rng.integers(1, 4))):
            x, y = int(rng.integers(4, width - 40)), int(rng.integers(4, height - 36))
            w, h = int(rng.integers(14, 34)), int(rng.integers(14, 30))
            if value == 1:
                pen.ellipse((x, y, x + h, y + h), fill=1)
            elif value == 2:
                pen.rectangle((x, y, x + w, y + h), fill=2)
            else:
                pen.line((x, y, x + w, y + h), fill=3, width=3)
    mask = np.asarray(drawn).copy()
    table = np.array(COLORS, np.float64) * rng.uniform(0.85, 1.1)
    grain = rng.normal(0, 14, (height, width, 1)) + rng.normal(0, 6, (height, width, 3))
    waves = 18 * np.sin(np.arange(width) / rng.uniform(7, 15) + rng.uniform(0, 6))
    image = np.clip(table[mask] + grain + waves[None, :, None] * (mask == 0)[..., None], 0, 255)
    rim = np.zeros(mask.shape, bool)
    rim[1:] |= mask[1:] != mask[:-1]
    rim[:, 1:] |= mask[:, 1:] != mask[:, :-1]
    mask[rim & (mask != 3)] = 255
    return image.astype(np.uint8), mask
