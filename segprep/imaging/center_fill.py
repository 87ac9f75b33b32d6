"""Polygons by the rule of geodata: a pixel belongs to one whose inside has the pixel's center."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from segprep.imaging.coordinates import flat_coordinates


def center_fill(
    rings: Sequence[Sequence[float]], height: int, width: int, address: str
) -> tuple[tuple[int, int], NDArray[np.bool_]]:
    """The first pixel (x, y) and the bits (h, w) of the even-odd inside of *rings*, flat x0, y0, …
    in corners of pixels, cut to an image of *height* and *width*. Raises ShapeError.
    """
    for ring in rings:
        flat_coordinates(ring, address, "polygon", least=3)
    starts = [np.asarray(ring, np.float64).reshape(-1, 2) for ring in rings]
    start = np.concatenate(starts)
    end = np.concatenate([np.roll(part, -1, axis=0) for part in starts])
    top, bottom = _span(start[:, 1], height)
    left, right = _span(start[:, 0], width)
    low, high = np.minimum(start[:, 1], end[:, 1]), np.maximum(start[:, 1], end[:, 1])
    first = np.clip(np.ceil(low - 0.5), top, bottom).astype(np.int64)
    counts = np.clip(np.ceil(high - 0.5), top, bottom).astype(np.int64) - first
    edge = np.repeat(np.arange(len(start)), counts)
    rows = np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts, counts) + first[edge]
    share = (rows + 0.5 - start[edge, 1]) / (end[edge, 1] - start[edge, 1])
    at = start[edge, 0] + share * (end[edge, 0] - start[edge, 0])
    columns = np.clip(np.ceil(at - 0.5), left, right).astype(np.int64)
    crossings = np.zeros((bottom - top, right - left + 1), np.int32)
    np.add.at(crossings, (rows - top, columns - left), 1)
    inside = np.cumsum(crossings, axis=1)[:, :-1] % 2 == 1
    return (left, top), inside


def _span(values: NDArray[np.float64], most: int) -> tuple[int, int]:
    """The whole numbers from the least to the largest of *values*, within 0 to *most*."""
    low = int(min(max(np.floor(values.min()), 0), most))
    return low, int(min(max(np.ceil(values.max()), low), most))
