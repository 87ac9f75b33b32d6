"""How often each pair of truth and predicted value occurs in two label maps: exact, for any
integers, in time that flat masks make short.

Label maps are flat, so runs of equal pairs are counted at once: of 8-bit maps by the kernel, where
it was built; else, where they are noisy, single pixels are counted instead, by ``bincount``. All
ways give the same counts. The memory for wider values depends on the pairs that occur, not on how
large the values are.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segprep import kernel

Ints = NDArray[np.int64]
BLOCK = 1 << 18  # pixels whose runs are found at once: what the processor's cache holds
MOST = 1 << 22  # pixels in one call of bincount: a bound on the memory
AT_ONCE = 64  # blocks whose runs are added together
PATIENCE = 4  # blocks that are taken for noisy after one that was
SMALL = 1 << 16  # pixels up to which distinct pairs are found at once without a table
WORTH = 6  # pixels that a run must have on average to be worth finding


@dataclass(frozen=True, slots=True)
class Tally:
    """Distinct pairs of values and the pixels that hold them: three int64 arrays (K,), by truth,
    then prediction. Empty maps give K = 0.
    """

    truth: Ints
    pred: Ints
    pixels: Ints

    @staticmethod
    def of_bytes(counts: bytearray) -> "Tally":
        """What the kernel counted."""
        return Tally(*np.frombuffer(counts, np.int64).reshape(3, -1))

    def plain(self, size: int, ignore: int | None) -> int:
        """How many pairs, the first ones, are of two ids of *size* classes where all others have
        *ignore* as truth; -1 where some have not.
        """
        end = int(self.truth.searchsorted(size))
        others = self.truth[end:]
        if len(others) and (ignore is None or others[0] != ignore or others[-1] != ignore):
            return -1
        wrong = end and (self.truth[0] < 0 or self.pred[:end].view(np.uint64).max() >= size)
        return -1 if wrong else end

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled as the bytes of its arrays, in half of the time that arrays take."""
        return _unpickled, (self.truth.tobytes(), self.pred.tobytes(), self.pixels.tobytes())


def _unpickled(*arrays: bytes) -> Tally:
    return Tally(*(np.frombuffer(data, np.int64) for data in arrays))


def tally(truth: NDArray[Any], pred: NDArray[Any]) -> Tally:
    """The pairs of values of two equally large arrays of integers. Raises ValueError for other
    shapes or types.

    >>> found = tally(np.array([[0, 1], [1, 1]]), np.array([[0, 1], [1, 0]]))
    >>> list(zip(found.truth.tolist(), found.pred.tolist(), found.pixels.tolist()))
    [(0, 0, 1), (1, 0, 1), (1, 1, 2)]
    """
    if truth.shape != pred.shape:
        raise ValueError(f"truth and prediction differ in shape: {truth.shape} and {pred.shape}")
    first, second = (
        np.ascontiguousarray(_narrow(_integers(array))).reshape(-1) for array in (truth, pred)
    )
    if first.dtype == np.uint8 and second.dtype == np.uint8:
        if kernel.compiled is not None:
            return Tally.of_bytes(kernel.compiled.joint(first, second))
        if first.size <= SMALL:
            keys, pixels = np.unique(_paired(first, second), return_counts=True)
            return Tally(*(part.astype(np.int64) for part in (keys >> 8, keys & 255, pixels)))
        return _of_table(joint(first, second))
    return _of_runs(first, second)


def _integers(array: NDArray[Any]) -> NDArray[Any]:
    if array.dtype.kind == "b":
        return array.view(np.uint8)
    if array.dtype.kind not in "ui":
        raise ValueError(f"class ids are integers, not {array.dtype}")
    return array


def _narrow(array: NDArray[Any]) -> NDArray[Any]:
    """The same values in 8 bits, if they fit: NumPy files of predictions are mostly int64."""
    if array.dtype.itemsize == 1 or not array.size or array.min() < 0 or array.max() > 255:
        return array
    return array.astype(np.uint8)


def joint(truth: NDArray[np.uint8], pred: NDArray[np.uint8]) -> Ints:
    """Counts (65536,) of ``256 * truth + prediction``; *truth* and *pred* (N,) contiguous.

    Runs of equal pixels are counted at once where that is faster.
    """
    counts = np.zeros(65_536, np.int64)
    space = np.zeros((2, min(BLOCK, truth.size + 7 & ~7)), np.bool_)
    cells: list[tuple[NDArray[np.uint16], Ints]] = []
    start = noisy = 0  # from *noisy* to *start*, pixels are still to be counted one by one
    while start < truth.size:
        left, right = truth[start : start + BLOCK], pred[start : start + BLOCK]
        ends = _ends(left, right, space)
        if ends is None:
            start += PATIENCE * BLOCK
        else:
            _single(counts, truth[noisy:start], pred[noisy:start])
            start = noisy = start + left.size
            cells.append(_runs(left, right, ends))
        if len(cells) == AT_ONCE:
            _add(counts, cells)
    _single(counts, truth[noisy:], pred[noisy:])
    _add(counts, cells)
    return counts


def _ends(
    truth: NDArray[np.uint8], pred: NDArray[np.uint8], space: NDArray[np.bool_]
) -> NDArray[np.intp] | None:
    """The last pixel of every run of equal pairs, or None if runs are not WORTH finding. *space*
    (2, N or more) is written over.
    """
    size = truth.size
    last, other = space[0], space[1, : size - 1]
    np.not_equal(truth[1:], truth[:-1], out=last[: size - 1])
    np.not_equal(pred[1:], pred[:-1], out=other)
    last[: size - 1] |= other
    last[size - 1] = True
    last[size:] = False
    if int(np.count_nonzero(last)) * WORTH > size:
        return None
    words = last.view(np.uint64)
    values = np.flatnonzero(
        words != 0
    )  # most words of eight have no end: looked through by words, a third of the time
    inside = np.flatnonzero(words.take(values).view(np.bool_))
    which = inside >> 3
    ends = values.take(which)
    ends -= which
    ends <<= 3
    ends += inside
    return ends


def _runs(
    truth: NDArray[np.uint8], pred: NDArray[np.uint8], ends: NDArray[np.intp]
) -> tuple[NDArray[np.uint16], Ints]:
    """Value pair and length of every run."""
    pairs = _paired(truth.take(ends), pred.take(ends))
    lengths = np.empty_like(ends)
    lengths[0] = ends[0] + 1
    np.subtract(ends[1:], ends[:-1], out=lengths[1:])
    return pairs, lengths


def _add(counts: Ints, cells: list[tuple[NDArray[np.uint16], Ints]]) -> None:
    """Add the lengths of all runs, and forget them."""
    if cells:
        pairs, lengths = (np.concatenate(parts) for parts in zip(*cells, strict=True))
        total = np.bincount(pairs, lengths)  # float64: exact below 2^53
        counts[: len(total)] += total.astype(np.int64)
        cells.clear()


def _paired(truth: NDArray[np.uint8], pred: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Both values in 16 bits."""
    pairs = truth.astype(np.uint16)
    pairs <<= 8
    pairs |= pred
    return pairs


def _single(counts: Ints, truth: NDArray[np.uint8], pred: NDArray[np.uint8]) -> None:
    """Add 1 to *counts* for every pair."""
    for start in range(0, truth.size, MOST):
        cells = np.bincount(_paired(truth[start : start + MOST], pred[start : start + MOST]))
        counts[: len(cells)] += cells


def _of_table(counts: Ints) -> Tally:
    keys = np.flatnonzero(counts != 0)  # four times as fast as looking through integers
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
    keys, pixels = gathered(places * len(others) + columns, lengths)
    return Tally(
        values[keys // len(others)].astype(np.int64),
        others[keys % len(others)].astype(np.int64),
        pixels,
    )


def gathered(keys: Ints, values: Ints) -> tuple[Ints, Ints]:
    """The distinct *keys*, sorted, and the sum of the *values* of each."""
    keys_once, places = np.unique(keys, return_inverse=True)
    total = np.zeros(len(keys_once), np.int64)
    np.add.at(total, places, values)
    return keys_once, total
