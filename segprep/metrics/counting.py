"""How often each pair of truth and predicted value occurs in two label maps: exact, for any
integers, in time that flat masks make short.

Label maps are flat, so runs of equal pairs are counted at once: of 8-bit maps by the kernel, where
it was built; else, where they are noisy, single pixels are counted instead, by ``bincount``, in a
table as large as their values plus one are: 255, the ignored one, becomes 0. All ways give the same
counts. The memory for wider values depends on the pairs that occur, not on how large the values
are.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segprep import kernel

Ints = NDArray[np.int64]
BLOCK = 1 << 18  # pixels whose runs are found at once: what the processor's cache holds
MOST = 1 << 18  # pixels in one call of bincount, which makes them eight times as wide
AT_ONCE = 64  # blocks whose runs are added together
PATIENCE = 4  # blocks that are taken for noisy after one that was
SMALL = 1 << 16  # pixels up to which distinct pairs are found at once without a table
WORTH = 4  # pixels that a run must have on average to be worth finding
DENSE = 10  # up to so many, NumPy finds the ends of runs without branches


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
            pairs = first.astype(np.uint16) << 8 | second
            keys, pixels = np.unique(pairs, return_counts=True)
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
    """Counts (R, C): of the pixels that have *row* - 1 as truth and *column* - 1 as prediction,
    where 255 is -1; *truth* and *pred* (N,) contiguous.

    Runs of equal pixels are counted at once where that is faster.
    """
    tables: list[Ints] = []
    space = np.zeros((2, min(BLOCK, truth.size + 7 & ~7)), np.bool_)
    runs: list[tuple[NDArray[np.uint8], NDArray[np.uint8], Ints]] = []
    start = noisy = 0  # from *noisy* to *start*, pixels are still to be counted one by one
    while start < truth.size:
        left, right = truth[start : start + BLOCK], pred[start : start + BLOCK]
        ends = _ends(left, right, space)
        if ends is None:
            start += PATIENCE * BLOCK
        else:
            tables += _single(truth[noisy:start], pred[noisy:start])
            start = noisy = start + left.size
            runs.append(_runs(left, right, ends))
        if len(runs) == AT_ONCE:
            tables.append(_of_lengths(runs))
    tables += _single(truth[noisy:], pred[noisy:])
    if runs:
        tables.append(_of_lengths(runs))
    return _sum(tables)


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
    number = int(np.count_nonzero(last))
    if number * WORTH > size:
        return None
    if number * DENSE > size:
        return np.flatnonzero(last)
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
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], Ints]:
    """Both values and the length of every run."""
    lengths = np.empty_like(ends)
    lengths[0] = ends[0] + 1
    np.subtract(ends[1:], ends[:-1], out=lengths[1:])
    return truth.take(ends), pred.take(ends), lengths


def _of_lengths(runs: list[tuple[NDArray[np.uint8], NDArray[np.uint8], Ints]]) -> Ints:
    """The table of all *runs*, which are forgotten."""
    truth, pred, lengths = (np.concatenate(parts) for parts in zip(*runs, strict=True))
    runs.clear()
    keys, shape = _keys(truth, pred)
    total = np.bincount(keys, lengths, shape[0] * shape[1])  # float64: exact below 2^53
    return total.astype(np.int64).reshape(shape)


def _single(truth: NDArray[np.uint8], pred: NDArray[np.uint8]) -> Iterator[Ints]:
    """The tables of single pixels."""
    for start in range(0, truth.size, MOST):
        keys, shape = _keys(truth[start : start + MOST], pred[start : start + MOST])
        yield np.bincount(keys, minlength=shape[0] * shape[1]).reshape(shape)


def _keys(
    truth: NDArray[np.uint8], pred: NDArray[np.uint8]
) -> tuple[NDArray[np.uint16], tuple[int, int]]:
    """The place of each pair in a table, flat, of (rows, columns)."""
    rows, columns = truth + np.uint8(1), pred + np.uint8(1)
    shape = int(rows.max()) + 1, int(columns.max()) + 1
    keys = rows.astype(np.uint16)
    keys *= np.uint16(shape[1])
    keys += columns
    return keys, shape


def _sum(tables: list[Ints]) -> Ints:
    if len(tables) == 1:
        return tables[0]
    shape = [max(table.shape[axis] for table in tables) for axis in (0, 1)]
    total = np.zeros(shape, np.int64)
    for table in tables:
        total[: len(table), : table.shape[1]] += table
    return total


def _of_table(counts: Ints) -> Tally:
    flat = counts.reshape(-1)
    keys = np.flatnonzero(flat != 0)  # four times as fast as looking through integers
    truth, pred = (part - 1 & 255 for part in np.divmod(keys, counts.shape[1]))
    order = np.argsort(truth << 8 | pred)
    return Tally(truth[order], pred[order], flat[keys][order])


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
