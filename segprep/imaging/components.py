"""Connected components of a label map, by runs of equal pixels."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def sizes(mask: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """The value and the size in pixels of every component of *mask* (H, W), where equal values that
    touch, corners included, are one component. In order of their first pixels.
    """
    if not mask.size:
        return mask.reshape(-1)[:0], np.zeros(0, np.int64)
    height, width = mask.shape
    flat = np.ascontiguousarray(mask).reshape(-1)
    begins = np.empty(flat.size, np.bool_)
    begins[0] = True
    np.not_equal(flat[1:], flat[:-1], out=begins[1:])
    begins[::width] = True
    starts = np.flatnonzero(begins)
    ends = np.append(starts[1:], flat.size)
    values = flat[starts]
    labels = _joined(len(starts), *_touching(starts, ends, values, width, height))
    roots, at = np.unique(labels, return_inverse=True)
    return values[roots], np.bincount(at, ends - starts).astype(np.int64)


def _touching(
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    values: NDArray[Any],
    width: int,
    height: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of runs of equal value that touch, one in the row below the other."""
    above = np.flatnonzero(starts < (height - 1) * width)
    rows = starts[above] // width
    low = np.maximum(starts[above] + width - 1, (rows + 1) * width)
    high = np.minimum(ends[above] + width + 1, (rows + 2) * width)
    first = np.searchsorted(ends, low, side="right")
    last = np.searchsorted(starts, high, side="left")
    counts = last - first
    upper = np.repeat(above, counts)
    offsets = np.arange(len(upper)) - np.repeat(np.cumsum(counts) - counts, counts)
    lower = np.repeat(first, counts) + offsets
    equal = values[upper] == values[lower]
    return upper[equal], lower[equal]


def _joined(count: int, upper: NDArray[np.int64], lower: NDArray[np.int64]) -> NDArray[np.int64]:
    """The smallest member of the set that each of *count* elements is in, given joined pairs."""
    labels = np.arange(count)
    while True:
        first, second = labels[upper], labels[lower]
        if np.array_equal(first, second):
            return labels
        np.minimum.at(labels, np.maximum(first, second), np.minimum(first, second))
        while not np.array_equal(labels, shorter := labels[labels]):
            labels = shorter
