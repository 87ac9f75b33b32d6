"""How often each pair of truth and predicted value occurs in two label maps: exact, for any integers, in time that flat masks make short.

Three ways give the same counts. 8-bit maps are read as words of eight pixels, since nearly every word of a mask holds one
value, and only the pixels of the other words are counted one by one; maps without such runs are counted pixel by pixel.
Wider values are counted run by run, so that the memory depends on the pairs that occur and not on how large the values are.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
BLOCK = 1 << 22  # pixels; well under the 2^24 from which OpenCV's float32 counts go wrong, and a bound on the memory of one image
_EIGHT = np.uint64(8)
_SAMPLE = 1 << 12  # words looked at to see whether a map is flat
_MIXED = 0.5  # share of words with more than one value from which on single pixels are faster


@dataclass(frozen=True, slots=True)
class Tally:
    """Distinct pairs of values and the pixels that hold them: three int64 arrays (K,), by truth, then prediction. Empty maps give K = 0."""

    truth: Ints
    pred: Ints
    pixels: Ints


def tally(truth: NDArray[Any], pred: NDArray[Any], *, fast: bool | None = None) -> Tally:
    """The pairs of values of two equally large arrays of integers.

    *fast*: use OpenCV (the extra ``fast``); by default if it is installed. Raises ValueError for other shapes or types.

    >>> found = tally(np.array([[0, 1], [1, 1]]), np.array([[0, 1], [1, 0]]))
    >>> list(zip(found.truth.tolist(), found.pred.tolist(), found.pixels.tolist()))
    [(0, 0, 1), (1, 0, 1), (1, 1, 2)]
    """
    if truth.shape != pred.shape:
        raise ValueError(f"truth and prediction differ in shape: {truth.shape} and {pred.shape}")
    first, second = (np.ascontiguousarray(_integers(array)).reshape(-1) for array in (truth, pred))
    if first.dtype == np.uint8 and second.dtype == np.uint8:
        return _of_table(joint(first, second, fast=fast))
    return _of_runs(first, second)


def _integers(array: NDArray[Any]) -> NDArray[Any]:
    if array.dtype == np.bool_:
        return array.view(np.uint8)
    if array.dtype.kind not in "ui":
        raise ValueError(f"class ids are integers, not {array.dtype}")
    return array


def joint(truth: NDArray[np.uint8], pred: NDArray[np.uint8], *, fast: bool | None = None) -> Ints:
    """Counts (65536,) of ``256 * truth + prediction``; *truth* and *pred* (N,) contiguous."""
    histogram = _histogram(fast)
    counts = np.zeros(65_536, np.int64)
    for start in range(0, truth.size, BLOCK):
        _add(counts, truth[start : start + BLOCK], pred[start : start + BLOCK], histogram)
    return counts


def _add(counts: Ints, truth: NDArray[np.uint8], pred: NDArray[np.uint8], histogram: "Histogram") -> None:
    whole = truth.size & ~7
    left, right = truth[:whole].view(np.uint64), pred[:whole].view(np.uint64)
    step = max(1, left.size // _SAMPLE)
    if _varied(left[::step], right[::step]).mean() > _MIXED if left.size else True:
        histogram(counts, truth, pred, 1)
        return
    varied = _varied(left, right)
    places = np.flatnonzero(varied)
    flat = np.flatnonzero(~varied)
    histogram(counts, truth[:whole:8].take(flat), pred[:whole:8].take(flat), 8)
    histogram(counts, left.take(places).view(np.uint8), right.take(places).view(np.uint8), 1)
    histogram(counts, truth[whole:], pred[whole:], 1)


def _varied(left: NDArray[np.uint64], right: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Where a word of either map holds more than one value: where it differs from itself one byte on."""
    other = left >> _EIGHT
    other ^= left
    mine = right >> _EIGHT
    mine ^= right
    other |= mine
    other <<= _EIGHT  # drops the byte that was compared with nothing
    return cast("NDArray[np.bool_]", other != 0)


Histogram = Callable[[Ints, NDArray[np.uint8], NDArray[np.uint8], int], None]


def _pixels(counts: Ints, truth: NDArray[np.uint8], pred: NDArray[np.uint8], weight: int) -> None:
    """Add *weight* to *counts* for every pair."""
    pairs = truth.astype(np.uint16)
    pairs <<= 8
    pairs |= pred
    found = np.bincount(pairs)
    counts[: len(found)] += weight * found if weight > 1 else found


@cache
def _opencv() -> Histogram | None:
    try:
        import cv2
    except ImportError:
        return None
    cv2.setNumThreads(1)  # processes are our parallelism

    def pixels(counts: Ints, truth: NDArray[np.uint8], pred: NDArray[np.uint8], weight: int) -> None:
        """Add *weight* to *counts* for every pair; float32 is exact here, since a block is smaller than 2^24."""
        if truth.size < 4096:
            _pixels(counts, truth, pred, weight)
            return
        found = cv2.calcHist([truth, pred], [0, 1], None, [256, 256], [0, 256, 0, 256])
        counts += weight * found.reshape(-1).astype(np.int64)

    return pixels


def _histogram(fast: bool | None) -> Histogram:
    if fast is False:
        return _pixels
    found = _opencv()
    if found is None and fast:
        from .errors import MissingExtraError

        raise MissingExtraError("counting with OpenCV", "opencv-python-headless", "fast")
    return found or _pixels


def _of_table(counts: Ints) -> Tally:
    keys = np.flatnonzero(counts)
    return Tally(keys >> 8, keys & 255, counts[keys])


def _of_runs(truth: NDArray[Any], pred: NDArray[Any]) -> Tally:
    """Runs of equal pairs, sorted by value; values of 63 bits and less."""
    if not truth.size:
        return Tally(*(np.zeros(0, np.int64) for _ in range(3)))
    starts = np.flatnonzero((truth[1:] != truth[:-1]) | (pred[1:] != pred[:-1])) + 1
    starts = np.concatenate([[0], starts])
    lengths = np.diff(starts, append=truth.size)
    values, places = np.unique(truth[starts], return_inverse=True)
    others, columns = np.unique(pred[starts], return_inverse=True)
    keys, inverse = np.unique(places * len(others) + columns, return_inverse=True)
    pixels = np.zeros(len(keys), np.int64)
    np.add.at(pixels, inverse, lengths)
    return Tally(values[keys // len(others)].astype(np.int64), others[keys % len(others)].astype(np.int64), pixels)
