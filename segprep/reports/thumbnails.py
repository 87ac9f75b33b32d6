"""Small pictures for a page, as data URIs: an image, and its classes laid over it."""

import base64
import colorsys
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segprep.types import IGNORE

SIDE = 320
DARK = 96  # an image whose brightest hundredth is darker is stretched, so that one sees anything


def shown(image: NDArray[Any]) -> NDArray[np.uint8]:
    """*image* (H, W, 3) of any kind of number as 8-bit: other than uint8, and what is nearly black,
    is stretched from its 1st to its 99th percentile.
    """
    low, high = np.percentile(image, [1, 99])
    if image.dtype == np.uint8 and high >= DARK:
        return image
    values = image.astype(np.float64)
    return np.asarray(((values - low) / max(high - low, 1e-12)).clip(0, 1) * 255, np.uint8)


def small(image: NDArray[np.uint8], side: int = SIDE) -> NDArray[np.uint8]:
    """*image* (H, W, 3) with no side longer than *side*, by area means."""
    picture = Image.fromarray(np.ascontiguousarray(image))
    picture.thumbnail((side, side), Image.Resampling.BOX)
    return np.asarray(picture)


def laid_over(
    image: NDArray[np.uint8],
    mask: NDArray[np.uint8],
    background: int | None = 0,
    *,
    opacity: float = 0.4,
    outlined: bool = True,
) -> NDArray[np.uint8]:
    """The classes of *mask* (H, W) over *image* (h, w, 3): tinted inside by *opacity* (0 to 1),
    bright on their outlines; the background is left clear, ignored pixels are gray.
    """
    height, width = image.shape[:2]
    rows, columns = (
        (np.arange(now) * was // now)[:, None]
        for now, was in zip((height, width), mask.shape, strict=True)
    )
    fitted = mask[rows, columns.T]
    table = np.array([vivid(value) for value in range(256)], np.float64)
    colors = table[fitted]
    edges = outlines(fitted) if outlined else np.zeros(fitted.shape, np.bool_)
    strength = np.where(edges, 1.0, opacity)[..., None] * (fitted != background)[..., None]
    return np.asarray(image * (1 - strength) + colors * strength).round().astype(np.uint8)


def differing(
    image: NDArray[np.uint8], first: NDArray[np.uint8], second: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """*image* (h, w, 3) in gray, red where the masks *first* and *second* (H, W each, perhaps of
    different sizes) differ; where *first* is ignored nothing differs.
    """
    height, width = image.shape[:2]
    fitted = []
    for mask in (first, second):
        rows = np.arange(height) * mask.shape[0] // height
        columns = np.arange(width) * mask.shape[1] // width
        fitted.append(mask[rows[:, None], columns])
    wrong = (fitted[0] != fitted[1]) & (fitted[0] != IGNORE)
    gray = np.asarray(image @ np.array([0.3, 0.59, 0.11]) * 0.6 + 70)[..., None].repeat(3, 2)
    gray[wrong] = 0.25 * gray[wrong] + 0.75 * np.array([235, 40, 60])
    return np.asarray(gray.round(), np.uint8)


def outlines(mask: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """(H, W): pixels of *mask* with another class above, below, left or right of them."""
    edges = np.zeros(mask.shape, np.bool_)
    down, right = mask[1:] != mask[:-1], mask[:, 1:] != mask[:, :-1]
    edges[1:] |= down
    edges[:-1] |= down
    edges[:, 1:] |= right
    edges[:, :-1] |= right
    return edges


def vivid(value: int) -> tuple[int, int, int]:
    """A bright color for class *value*: hues by the golden angle, so that neighboring ids differ;
    VOC's own dark red drowns in dark pictures.
    """
    if value == IGNORE:
        return 140, 140, 140
    red, green, blue = colorsys.hsv_to_rgb((0.38 + (value - 1) * 0.618034) % 1.0, 0.85, 1.0)
    return round(255 * red), round(255 * green), round(255 * blue)


def uri(picture: NDArray[np.uint8]) -> str:
    """*picture* (H, W, 3) as a JPEG data URI."""
    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture)).save(out, "JPEG", quality=85, subsampling=0)
    return "data:image/jpeg;base64," + base64.b64encode(out.getvalue()).decode()


def color(value: int) -> str:
    """The CSS color of a class id."""
    return "rgb({} {} {})".format(*vivid(value))
