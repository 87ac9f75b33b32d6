"""What the tests of formats of regions share: one small image, and the mask of a polygon on it."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from segprep.types import Sample

WIDTH, HEIGHT = 12, 10
SQUARE = [[2, 2], [8, 2], [8, 7], [2, 7]]
HOLE = [[4, 4], [6, 4], [6, 5], [4, 5]]


def square(value: int = 1) -> np.ndarray[Any, Any]:
    """SQUARE as Pillow fills a polygon: the outline included."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[2:8, 2:9] = value
    return mask


def with_hole(value: int = 1) -> np.ndarray[Any, Any]:
    """SQUARE less HOLE."""
    mask = square(value)
    mask[4:6, 4:7] = 0
    return mask


def photo(path: Path, seed: int = 0, size: tuple[int, int] = (HEIGHT, WIDTH)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def png(pixels: np.ndarray[Any, Any]) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def write(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = content if isinstance(content, str) else json.dumps(content)
    path.write_text(text, encoding="utf-8")
    return path


def masks(reader: Any) -> dict[str, np.ndarray[Any, Any]]:
    """Stem -> mask of every item."""
    samples: list[Sample] = [reader.read(item) for item in reader.scan().items]
    return {sample.stem: sample.mask for sample in samples}


def only(reader: Any) -> np.ndarray[Any, Any]:
    """The mask of the only item."""
    (mask,) = masks(reader).values()
    return mask
