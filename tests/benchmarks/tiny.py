"""Many small pairs of image and mask from a fixed seed: what a run costs beside the pixels."""

import io
from pathlib import Path

import numpy as np
from PIL import Image


def write(folder: Path, count: int, side: int = 32) -> Path:
    """*count* pairs of *side* x *side* pixels and three classes, in images/ and masks/; no two
    pictures are alike.
    """
    random = np.random.default_rng(11)
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    coarse = max(4, side // 8)
    for number in range(count):
        colors = random.integers(0, 255, (coarse, coarse, 3), np.uint8)
        layers = random.random((3, coarse // 2, coarse // 2)).astype(np.float32)
        mask = np.argmax([np.asarray(_enlarged(layer, side)) for layer in layers], 0)
        name = f"t{number:07}"
        picture = _encoded(_enlarged(colors, side), "JPEG")
        (folder / "images" / f"{name}.jpg").write_bytes(picture)
        drawn = _encoded(Image.fromarray(mask.astype(np.uint8)), "PNG")
        (folder / "masks" / f"{name}.png").write_bytes(drawn)
    return folder


def _enlarged(field: np.ndarray, side: int) -> Image.Image:
    return Image.fromarray(field).resize((side, side), Image.Resampling.BICUBIC)


def _encoded(picture: Image.Image, kind: str) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind)
    return out.getvalue()
