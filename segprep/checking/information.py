"""What the colors of an image tell of its classes: mutual information, as the mask lies, mirrored
or rotated, and shifted. They tell most of the mask that is its own, whatever the other images look
like.
"""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segprep.imaging.likeness import TURNS
from segprep.types import IGNORE

GRID = 64
STEP, NEAR = 2, (3, 6)  # every second cell is counted; shifts, in cells
BRIGHT, TINTS = 8, 3  # equal parts of the cells by brightness, and by red against blue
MOST = 64  # classes; masks with more are not of classes
_COLORS = BRIGHT * TINTS
_PARTS = 1 << 32  # of a nat
NATS = STEP**2 / _PARTS  # that a part of what the counted cells tell stands for


def measure(colors: NDArray[np.uint8], small: NDArray[Any]) -> NDArray[np.int64]:
    """Parts of NATS, over the cells of an image in short (GRID, GRID, 3) and its mask (GRID, GRID):
    for each of likeness.TURNS, the first of which leaves the mask as it lies, and for each of 16
    shifts; zeros for masks of one value, or of more than MOST.
    """
    around = _places()
    table, values = _dense(small)
    if not 2 <= len(values) <= MOST:
        return np.zeros(len(around), np.int64)
    joint = _joint(
        table.take(small.reshape(-1)),
        len(values),
        _bins(colors[STEP // 2 :: STEP, STEP // 2 :: STEP]),
    )
    if values[-1] == IGNORE:
        joint = joint[:, :, :-1]
    parts = joint.reshape(len(around), -1), joint.sum(1), joint.sum(2), joint.sum((1, 2))[:, None]
    whole, by_class, by_tint, cells = (logs().take(part).sum(1) for part in parts)
    return np.asarray(whole - by_class - by_tint + cells)


def told(colors: NDArray[np.uint8], small: NDArray[Any]) -> float:
    """Nats that an image in short (side, side, 3) tells of its mask (side, side) as it lies, over
    all cells; 0 for masks of one value, or of more than MOST.
    """
    table, values = _dense(small)
    if not 2 <= len(values) <= MOST:
        return 0.0
    keys = _bins(colors) * np.intp(len(values)) + table.take(small.reshape(-1))
    joint = np.bincount(keys, minlength=len(values) * _COLORS).reshape(_COLORS, -1)
    if values[-1] == IGNORE:
        joint = joint[:, :-1]
    parts = joint, joint.sum(0), joint.sum(1), joint.sum()
    whole, by_class, by_tint, cells = (np.sum(part * np.log(np.maximum(part, 1))) for part in parts)
    return float(whole - by_class - by_tint + cells)


def _joint(numbers: NDArray[np.uint8], count: int, bins: NDArray[np.uint8]) -> NDArray[np.int64]:
    """(turns + 16, colors, *count*): how often each of *numbers* (cells,), below *count*, meets the
    *bins* (counted cells,), turned or moved.
    """
    around = _places()
    keys = numbers.take(around) + bins * np.uint16(count)
    keys += (np.arange(len(around)) * (count * _COLORS)).astype(np.uint16)[:, None]
    counts = np.bincount(keys.reshape(-1), minlength=len(around) * count * _COLORS)
    return counts.reshape(len(around), _COLORS, count)


def _dense(small: NDArray[Any]) -> tuple[NDArray[np.uint8], NDArray[Any]]:
    """A table from value to number, and the values; an empty table for values that are not ids."""
    if small.dtype.kind not in "ub" or int(small.max()) > 65_535:
        return np.zeros(0, np.uint8), np.zeros(0, np.int64)
    values = np.flatnonzero(np.bincount(small.reshape(-1)))
    table = np.zeros(int(values[-1]) + 1, np.uint8)
    table[values] = np.arange(len(values)) if len(values) <= MOST else 0
    return table, values


def _bins(colors: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The color, 0 to 23, of every cell of (rows, columns, 3): by ranks among them."""
    part = colors.reshape(-1, 3).astype(np.int16)
    brightness, tint = part[:, 0] + part[:, 1] + part[:, 2], part[:, 0] - part[:, 2] + 255
    return np.asarray(_ranked(brightness, BRIGHT) * np.uint8(TINTS) + _ranked(tint, TINTS))


def _ranked(values: NDArray[np.int16], parts: int) -> NDArray[np.uint8]:
    """Which of about equally large *parts* of *values* each is in; equal ones are together."""
    below = np.cumsum(np.bincount(values, minlength=1))
    numbers = np.minimum((below - 1) * parts // len(values), parts - 1)
    return np.asarray(numbers.astype(np.uint8).take(values))


@cache
def _places() -> NDArray[np.uint16]:
    """(turns + 16, counted cells): where each counted cell is looked up."""
    cells = np.arange(GRID * GRID).reshape(GRID, GRID)
    moved = [
        np.roll(cells, (down * far, right * far), (0, 1))
        for far in NEAR
        for down in (-1, 0, 1)
        for right in (-1, 0, 1)
        if down or right
    ]
    stack = np.stack([*(turn(cells) for turn in TURNS.values()), *moved])
    counted = stack[:, STEP // 2 :: STEP, STEP // 2 :: STEP]
    return np.ascontiguousarray(counted, np.uint16).reshape(len(stack), -1)


@cache
def logs() -> NDArray[np.int64]:
    """n log n for every possible count n, in whole parts, whose sums are the same in any order."""
    numbers = np.arange(GRID * GRID + 1, dtype=np.float64)
    numbers[2:] *= np.log(numbers[2:])
    numbers[1] = 0
    return np.rint(numbers * _PARTS).astype(np.int64)
