"""Many small pairs of image and mask from a fixed seed: what a run costs beside the pixels."""

import io
import os
from pathlib import Path

import numpy as np
from PIL import Image

DIFFERENT = 100_000  # images; those after them are hard links to these, which saves a disk's room


def write(folder: Path, count: int, side: int = 32) -> Path:
    """*count* pairs of *side* x *side* pixels and three classes, in images/ and masks/; no two
    masks are alike, nor the first DIFFERENT pictures.
    """
    random = np.random.default_rng(11)
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    coarse = max(4, side // 8)
    for number in range(count):
        name, image = f"t{number:07}", folder / "images" / f"t{number:07}.jpg"
        if number < DIFFERENT:
            colors = random.integers(0, 255, (coarse, coarse, 3), np.uint8)
            image.write_bytes(_encoded(_enlarged(colors, side), "JPEG"))
        else:
            os.link(folder / "images" / f"t{number % DIFFERENT:07}.jpg", image)
        mask = _mask(random, coarse // 2, side)
        (folder / "masks" / f"{name}.png").write_bytes(_encoded(mask, "PNG"))
    return folder


def touch(folder: Path, every: int, side: int = 32) -> None:
    """Draw one in *every* mask below *folder* again, with other values."""
    random = np.random.default_rng(12)
    for name in sorted(os.listdir(folder / "masks"))[::every]:
        mask = _encoded(_mask(random, max(4, side // 8) // 2, side), "PNG")
        (folder / "masks" / name).write_bytes(mask)


def _mask(random: np.random.Generator, coarse: int, side: int) -> Image.Image:
    """Blobs of three classes, none of them narrower than two pixels."""
    layers = random.random((3, coarse, coarse)).astype(np.float32)
    mask = np.argmax([np.asarray(_enlarged(layer, side // 2)) for layer in layers], 0)
    return Image.fromarray(mask.astype(np.uint8)).resize((side, side), Image.Resampling.NEAREST)


def _enlarged(field: np.ndarray, side: int) -> Image.Image:
    return Image.fromarray(field).resize((side, side), Image.Resampling.BICUBIC)


def _encoded(picture: Image.Image, kind: str) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind)
    return out.getvalue()
