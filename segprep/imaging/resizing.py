"""Pictures and masks at another size, and parts of them: pictures filtered, masks nearest only."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from segprep.errors import SourceError
from segprep.imaging import png
from segprep.imaging.image import opened
from segprep.types import MAX_PIXELS


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture of *scaled* (H, W) pixels, its first pixel at (*top*, *left*) of a canvas of *size*
    (H, W).
    """

    size: tuple[int, int]
    scaled: tuple[int, int]
    top: int = 0
    left: int = 0


def decoded(data: bytes, path: Path, limit: int = MAX_PIXELS) -> NDArray[Any]:
    """The upright picture: (H, W) or (H, W, 3 or 4) of uint8, or (H, W) of uint16; palettes and
    other modes become RGB. Raises SourceError.
    """
    with opened(data, path, limit) as picture:
        upright = ImageOps.exif_transpose(picture)
        if upright.mode in ("F", "I"):
            raise SourceError(
                path,
                f"pixel type {upright.mode} has no unambiguous 8-bit form",
                "save it as 8-bit or 16-bit gray, or RGB",
                "image-unsupported",
            )
        if upright.mode.startswith("I;16"):
            return np.asarray(upright).astype(np.uint16)
        if upright.mode not in ("L", "RGB", "RGBA"):
            upright = upright.convert("L" if upright.mode == "1" else "RGB")
        return np.array(upright)


def encoded(pixels: NDArray[Any]) -> bytes:
    """*pixels* of :func:`decoded`, or (H, W, 3 or 4) of uint16, as a lossless PNG."""
    if pixels.dtype == np.uint16 and pixels.ndim == 3:
        return png.encode(pixels)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG", compress_level=1)
    return out.getvalue()


def picture(pixels: NDArray[Any], frame: Frame, fill: int) -> NDArray[Any]:
    """*pixels* in *frame*: bilinear when it grows, an average when it shrinks (Pillow's antialiased
    bilinear filter); *fill* around it.
    """
    height, width = frame.scaled
    scaled = pixels
    if pixels.shape[:2] != frame.scaled:
        if pixels.dtype == np.uint16:
            floats = Image.fromarray(pixels.astype(np.float32))
            resized = np.asarray(floats.resize((width, height), Image.Resampling.BILINEAR))
            scaled = np.clip(np.rint(resized), 0, 65_535).astype(np.uint16)
        else:
            whole = Image.fromarray(pixels)
            scaled = np.asarray(whole.resize((width, height), Image.Resampling.BILINEAR))
    return _framed(scaled, frame, fill)


def mask(values: NDArray[Any], frame: Frame, fill: int) -> NDArray[Any]:
    """*values* (H, W) in *frame*: the value at the nearest pixel center; *fill* around it."""
    height, width = values.shape
    rows = _nearest(height, frame.scaled[0])
    columns = _nearest(width, frame.scaled[1])
    return _framed(values[rows[:, None], columns[None, :]], frame, fill)


def _nearest(old: int, new: int) -> NDArray[np.int64]:
    """For every one of *new* pixels the one of *old* whose center is nearest."""
    centers = (2 * np.arange(new, dtype=np.int64) + 1) * old // (2 * new)
    return np.minimum(centers, old - 1)


def _framed(scaled: NDArray[Any], frame: Frame, fill: int) -> NDArray[Any]:
    if frame.size == frame.scaled:
        return scaled
    canvas = np.full((*frame.size, *scaled.shape[2:]), fill, scaled.dtype)
    height, width = frame.scaled
    canvas[frame.top : frame.top + height, frame.left : frame.left + width] = scaled
    return canvas


def cut(pixels: NDArray[Any], top: int, left: int, size: int, fill: int) -> NDArray[Any]:
    """The square of *size* pixels with its corner at (*top*, *left*); *fill* beyond the picture."""
    part = pixels[top : top + size, left : left + size]
    if part.shape[:2] == (size, size):
        return np.ascontiguousarray(part)
    canvas = np.full((size, size, *pixels.shape[2:]), fill, pixels.dtype)
    canvas[: part.shape[0], : part.shape[1]] = part
    return canvas
