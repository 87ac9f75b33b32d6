"""Generated pictures in which all objects lie at nearly the same place."""

from pathlib import Path

import numpy as np
from PIL import Image

import segprep


def make(folder: Path, count: int, step: int, contrast: int = 40) -> Path:
    """A tree of soft pictures of two lungs, at nearly the same places in all; the masks are those
    *step* pictures further on.
    """
    rng = np.random.default_rng(3)
    for name in ("JPEGImages", "SegmentationClass"):
        (folder / name).mkdir(parents=True)
    rows, columns = np.mgrid[:96, :96]
    pictures, masks = [], []
    for _ in range(count):
        mask = np.zeros((96, 96), np.uint8)
        for middle in (28, 68):
            down, right, tall, wide = rng.normal((48, middle, 26, 12), (4, 3, 3, 2))
            mask[((rows - down) / tall) ** 2 + ((columns - right) / wide) ** 2 < 1] = 1
        light = 150.0 - contrast * mask - 0.3 * abs(columns - 48) + rng.normal(0, 18, mask.shape)
        light[:8, ::6] = 250  # writing, which has the sharpest edges
        pictures.append(Image.fromarray(light.clip(0, 255).astype(np.uint8)))
        masks.append(mask)
    for number, picture in enumerate(pictures):
        picture.save(folder / "JPEGImages" / f"x{number:02}.png")
        mask = masks[(number + step) % count]
        segprep.write_mask(folder / "SegmentationClass" / f"x{number:02}.png", mask)
    return folder
