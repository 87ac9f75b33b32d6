"""The numbers of a TIFF as they are stored, whatever their type: signed, 32 and 64 bits, floats;
and any image as the three channels that a network is fed with.

Pillow unpacks the bytes, as if they were gray levels of 8 bits; types, byte order and predictors
are put right here. Format: TIFF 6.0, sections 14 and 19, and Adobe Photoshop TIFF Technical Note 3
(floating-point predictor).
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ImageOps

from segprep.errors import SourceError
from segprep.imaging import image, sixteen_bits, tiff
from segprep.types import MAX_PIXELS

_KINDS = {1: "u", 2: "i", 3: "f", 4: "u"}
_DIFFERENCES, _FLOATS = 2, 3


def type_of(layout: tiff.Layout) -> np.dtype[Any] | None:
    """The type of a page's numbers; None where it is none of whole bytes, or differs."""
    formats = set(layout.tags.get(tiff.SAMPLE_FORMAT) or (1,))
    kind = _KINDS.get(formats.pop()) if len(formats) == 1 else None
    size = layout.bits // 8
    if kind is None or layout.bits % 8 or size not in ((2, 4, 8) if kind == "f" else (1, 2, 4, 8)):
        return None
    return np.dtype(f"{layout.order}{kind}{size}")


def read(data: bytes, path: Path, limit: int = MAX_PIXELS) -> NDArray[Any] | None:
    """(H, W, C) of the first page of a classic TIFF, in the machine's byte order; None for all
    other files, and for numbers that are not whole bytes. Raises SourceError.
    """
    layout = tiff.first(data)
    kind = type_of(layout) if layout else None
    if layout is None or kind is None or layout.number(tiff.PHOTOMETRIC, 1) not in (0, 1, 2):
        return None
    width, height, samples = layout.number(tiff.WIDTH), layout.number(tiff.HEIGHT), layout.samples
    sixteen_bits.check_size(width, height, samples, path, limit)
    if layout.number(tiff.PLANAR, 1) == 2 and samples > 1:
        planes = [_plane(data, layout, kind, plane, path, limit) for plane in range(samples)]
        return np.concatenate(planes, axis=2)
    return _plane(data, layout, kind, None, path, limit)


def _plane(
    data: bytes,
    layout: tiff.Layout,
    kind: np.dtype[Any],
    plane: int | None,
    path: Path,
    limit: int,
) -> NDArray[Any]:
    """(H, W, C) of all channels, or (H, W, 1) of one *plane*."""
    channels = layout.samples if plane is None else 1
    page = tiff.gray_page(data, layout, plane, bytes_each=kind.itemsize)
    with image.opened(page, path, limit * channels * kind.itemsize) as picture:
        lines = np.asarray(picture)
    columns = layout.number(tiff.WIDTH)
    across = layout.number(tiff.TILE_WIDTH, columns) or columns
    parts = [
        _numbers(lines[:, at * step : (at + across) * step], channels, kind, layout)
        for step in [channels * kind.itemsize]
        for at in range(0, columns, across)
    ]
    return np.concatenate(parts, axis=1)[:, :columns] if len(parts) > 1 else parts[0][:, :columns]


def _numbers(
    lines: NDArray[np.uint8], channels: int, kind: np.dtype[Any], layout: tiff.Layout
) -> NDArray[Any]:
    """The numbers (H, W, C) in bytes (H, W · C · size) that were predicted within themselves."""
    height, predictor = lines.shape[0], layout.number(tiff.PREDICTOR, 1)
    native = kind.newbyteorder("=")
    if predictor == _FLOATS and kind.kind == "f":
        summed = np.cumsum(lines.reshape(height, -1, channels), axis=1, dtype=np.uint8)
        levels = summed.reshape(height, kind.itemsize, -1)  # the highest bytes of all come first
        packed = np.ascontiguousarray(levels.transpose(0, 2, 1))
        numbers = packed.view(kind.newbyteorder(">"))
        return numbers.reshape(height, -1, channels).astype(native)
    numbers = np.ascontiguousarray(lines).view(kind).reshape(height, -1, channels).astype(native)
    if predictor == _DIFFERENCES:
        whole = numbers.view(np.dtype(f"u{kind.itemsize}"))
        numbers = np.cumsum(whole, axis=1, dtype=whole.dtype).view(native)
    return numbers


def rgb(data: bytes, path: Path) -> NDArray[Any]:
    """Any decodable image as (H, W, 3), upright: uint16 for 16 bits, float32 for signed numbers,
    floats and 32 bits, else uint8; alpha and further bands are dropped. Raises SourceError.
    """
    numbers = read(data, path)
    if numbers is not None and numbers.dtype != np.uint8:
        return _colors(numbers, data, path)
    with image.opened(data, path, MAX_PIXELS) as picture:
        upright = ImageOps.exif_transpose(picture)
        if upright.mode.startswith("I;16"):
            return np.repeat(np.asarray(upright).astype(np.uint16)[:, :, None], 3, axis=2)
        if upright.mode in ("I", "F"):
            array = np.asarray(upright, dtype=np.float32)
            _check_finite(array, path)
            return np.repeat(array[:, :, None], 3, axis=2)
        return np.asarray(upright.convert("RGB"))


def _colors(numbers: NDArray[Any], data: bytes, path: Path) -> NDArray[Any]:
    """*numbers* (H, W, C) of a TIFF as (H, W, 3), upright."""
    count = numbers.shape[2]
    if count not in (1, 2, 3, 4):
        reason = f"has {count} bands; gray or RGB is needed"
        hint = "export three of its bands, as segprep convert geotiff --bands does"
        raise SourceError(path, reason, hint, "image-unsupported")
    if numbers.dtype != np.uint16:
        numbers = numbers.astype(np.float32)
        _check_finite(numbers, path)
    layout = tiff.first(data)
    orientation = layout.number(tiff.ORIENTATION, 1) if layout else 1
    upright = image.upright_array(numbers, orientation)
    return upright[..., :3] if count > 2 else np.repeat(upright[..., :1], 3, axis=2)


def _check_finite(values: NDArray[Any], path: Path) -> None:
    if not np.isfinite(values).all():
        reason, hint = "holds numbers that are not finite", "save it as 8-bit or 16-bit"
        raise SourceError(path, reason, hint, "image-unsupported")
