"""Small pictures for a page, as data URIs: an image, and its classes laid over it."""

import base64
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..image import voc_colours
from ..types import IGNORE

SIDE = 240


def shown(image: NDArray[Any]) -> NDArray[np.uint8]:
    """*image* (H, W, 3) of any kind of number as 8-bit: other than uint8 is stretched from its 1st to its 99th percentile."""
    if image.dtype == np.uint8:
        return image
    values = image.astype(np.float64)
    low, high = np.percentile(values, [1, 99])
    return np.asarray(((values - low) / max(high - low, 1e-12)).clip(0, 1) * 255, np.uint8)


def laid_over(image: NDArray[np.uint8], mask: NDArray[np.uint8], background: int | None = 0) -> NDArray[np.uint8]:
    """*mask* (H, W) in VOC's colours over *image* (H, W, 3), half transparent; the background is left clear, ignored pixels are grey."""
    table = np.frombuffer(voc_colours(), np.uint8).reshape(256, 3)
    colours = np.where((mask == IGNORE)[..., None], np.uint8(128), table[mask])
    mixed = (image.astype(np.uint16) + colours) // 2
    return np.where((mask == background)[..., None], image, mixed).astype(np.uint8) if background is not None else mixed.astype(np.uint8)


def uri(picture: NDArray[np.uint8], side: int = SIDE) -> str:
    """*picture* (H, W, 3) as a JPEG data URI, at most *side* wide or high."""
    made = Image.fromarray(np.ascontiguousarray(picture))
    made.thumbnail((side, side), Image.Resampling.BOX)
    out = io.BytesIO()
    made.save(out, "JPEG", quality=82, subsampling=0)
    return "data:image/jpeg;base64," + base64.b64encode(out.getvalue()).decode()


def colour(value: int) -> str:
    """The CSS colour of a class id."""
    red, green, blue = voc_colours()[3 * value : 3 * value + 3]
    return f"rgb({red} {green} {blue})"
