"""Numbers of any type as class ids: arrays, and the rasters of TIFF files."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segprep.errors import SourceError
from segprep.imaging import georeference, samples, tiff
from segprep.types import IGNORE, MAX_PIXELS

LARGEST = 65_535
AXIS = "name the axis of the classes with --axis"


def whole_numbers(array: NDArray[Any], path: Path, *, limit: int = MAX_PIXELS) -> NDArray[Any]:
    """*array* as class ids (H, W) from 0 to 65535: booleans and whole floats count as such.

    Raises SourceError: bad-array, file-too-large.
    """
    squeezed = array.reshape([side for side in array.shape if side != 1] or [1])
    if squeezed.ndim != 2:
        reason = f"has the shape {array.shape}; one class id per pixel (H, W) was expected"
        raise SourceError(path, reason, AXIS, "bad-array")
    if squeezed.size > limit:
        raise SourceError(
            path, f"has {squeezed.size} pixels; {limit} are allowed", code="file-too-large"
        )
    if squeezed.dtype.kind == "b":
        return squeezed.astype(np.uint8)
    if squeezed.dtype.kind not in "iuf":
        reason = f"holds {squeezed.dtype}, not numbers"
        raise SourceError(path, reason, "save class ids as whole numbers", "bad-array")
    if (
        squeezed.dtype.kind == "f"
        and not (np.isfinite(squeezed) & (np.trunc(squeezed) == squeezed)).all()
    ):
        reason = "holds fractions; are these probabilities or heights?"
        hint = (
            "save class ids instead, such as array > 0.5 of probabilities; an image: save it as PNG"
        )
        raise SourceError(path, reason, hint, "bad-array")
    low, high = squeezed.min(), squeezed.max()
    if low < 0 or high > LARGEST:
        reason = f"holds values from {low} to {high}; class ids are 0 to {LARGEST}"
        hint = "map them before converting"
        if low < 0:
            hint = (
                f"write 255 where {low:g} means ignored; in a TIFF: gdal_edit.py -a_nodata {low:g}"
            )
        raise SourceError(path, reason, hint, "bad-array")
    return squeezed.astype(np.uint8 if high <= 255 else np.uint16)


def of_raster(data: bytes, path: Path, limit: int = MAX_PIXELS) -> NDArray[Any] | None:
    """The class ids (H, W) of a TIFF of one band whose numbers are signed, floats, or of 32 bits
    and more; pixels that its no-data value marks are 255. None for all other files.

    Raises SourceError: bad-array, values-unclear.
    """
    layout = tiff.first(data)
    kind = samples.type_of(layout) if layout else None
    if layout is None or kind is None or layout.samples != 1:
        return None
    stated = georeference.nodata(data)
    if kind.kind == "u" and kind.itemsize <= 2 and stated is None:
        return None
    numbers = samples.read(data, path, limit)
    if numbers is None:
        return None
    lost = without_data(numbers, stated)
    values = whole_numbers(np.where(lost, 0, numbers[..., 0]), path, limit=limit)
    if lost.any() and ((values == IGNORE) & ~lost).any():
        reason = "holds the value 255 and pixels without data, which become 255"
        raise SourceError(path, reason, "give the class 255 another number", "values-unclear")
    return np.where(lost, IGNORE, values)


def without_data(numbers: NDArray[Any], stated: float | None) -> NDArray[np.bool_]:
    """Where all bands of (H, W, C) are *stated*, or no number."""
    lost = np.isnan(numbers) if numbers.dtype.kind == "f" else np.zeros(numbers.shape, np.bool_)
    if stated is not None and not np.isnan(stated):
        exact = numbers.dtype.type(stated) if numbers.dtype.kind == "f" else stated
        lost = lost | (numbers == exact)
    return np.asarray(lost.all(axis=2))
