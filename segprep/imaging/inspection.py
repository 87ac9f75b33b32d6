"""Image and mask files as they are stored: for judging files, not for converting them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from segprep.imaging import headers, image, png
from segprep.imaging.headers import Header
from segprep.types import MAX_PIXELS

FLAT = 24  # levels: pictures in short that vary less are looked at in full


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """A decoded file: its *header*, *samples* (H, W) or (H, W, C) as stored (palette indices for
    mode P), and the *palette* as RGB bytes, or empty.
    """

    header: Header
    samples: NDArray[Any]
    palette: bytes = b""


@dataclass(frozen=True, slots=True, eq=False)
class Small:
    """A photograph in short: *colors* (side, side, 3) uint8 are the upright picture squeezed to a
    square, *stored* the samples of the full size; *span* is the range of *stored* where *colors*
    hardly vary, else that of *colors*.
    """

    header: Header
    span: tuple[float, float]
    colors: NDArray[np.uint8]
    stored: NDArray[Any]


def mask(data: bytes, path: Path, limit: int = MAX_PIXELS) -> Stored:
    """A mask file as stored. Raises SourceError where it cannot be decoded."""
    fast = png.decode(data, limit)
    with image.opened(data, path, limit) as picture:
        palette = bytes(picture.getpalette("RGB") or b"") if picture.mode == "P" else b""
        samples = fast if fast is not None else np.asarray(picture)
        header = headers.of_picture(picture, data)
    return Stored(header, samples, palette)


def photograph(data: bytes, path: Path, side: int, limit: int = MAX_PIXELS) -> Small:
    """An image file decoded once, and in short. Raises SourceError where it cannot be decoded."""
    with image.opened(data, path, limit) as picture:
        picture.load()
        stored = np.asarray(picture)
        shown = _eight_bits(picture, stored)
        reduced = shown.resize((side, side), Image.Resampling.BOX)
        header = headers.of_picture(picture, data)
        if header.orientation > 1:
            reduced.getexif()[0x0112] = header.orientation
            reduced = ImageOps.exif_transpose(reduced)
    colors = np.asarray(reduced.convert("RGB"))
    exact = stored if colors.max() - colors.min() <= FLAT else colors
    return Small(header, (float(exact.min()), float(exact.max())), colors, stored)


def _eight_bits(picture: Image.Image, stored: NDArray[Any]) -> Image.Image:
    """*picture* as gray or RGB of 8 bits; wider values are scaled by their own range."""
    if picture.mode in ("L", "RGB"):
        return picture
    if picture.mode == "F" or picture.mode.startswith("I"):
        values = np.nan_to_num(stored.astype(np.float64))
        low, high = float(values.min()), float(values.max())
        scaled = (values - low) * (255 / (high - low) if high > low else 0)
        return Image.fromarray(scaled.astype(np.uint8))
    return picture.convert("RGB")
