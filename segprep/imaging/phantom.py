"""Classes that smoothing made: values that occur only as a rim between a smaller and a larger one.

A mask that was resized with interpolation, rotated with smoothing or saved as JPEG has, between ids
1 and 3, pixels of id 2, which are not objects of class 2.
"""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segprep.types import IGNORE, Note

MOST = 0.05  # the largest share of a mask that is a rim
_BETWEEN = 0.6  # the share of a value's pixels that have a smaller and a larger value beside them
# the least number of rim pixels, of one value and of all, for each place where such neighbors touch
# directly: scraps that were drawn reach .08, smoothed masks 1 and more
_OWN_LINED, _LINED = 0.02, 0.2
# fewer rim pixels may be scraps of a class that others cover; and then, unlike in a smoothed mask,
# most borders are direct ones between ids that are not next to each other
_LEAST, _SCRAPS, _DIRECT = 8, 24, 0.6


def rims(mask: NDArray[np.uint8], counts: Mapping[int, int]) -> list[int]:
    """The values of *mask* (H, W), whose histogram is *counts*, that occur only as such a rim: no
    3 x 3 block of their own, few pixels, most of them with both neighbors within two pixels.
    """
    present = sorted(value for value in counts if value != IGNORE)
    thin = [
        value
        for value in present[1:-1]
        if counts[value] <= MOST * mask.size and _is_rim(mask, value)
    ]
    thick = set(present) - set(thin)
    return [value for value in thin if from_smoothing(mask, value, thin=thin, thick=thick)]


def from_smoothing(
    ids: NDArray[Any], value: int, *, thin: Collection[int], thick: Collection[int]
) -> bool:
    """Whether smoothing explains the rim of *value* in *ids* (H, W): it lines a fair part of the
    borders between smaller and larger ids, and the other ids that averaging makes between its
    neighbors are there as well. What a later shape left uncovered of a class meets neither.

    *thin* are the values that occur as rims only, *thick* those that have blocks of their own.
    """
    whole = sorted(set(thick) - {IGNORE})
    smaller = np.isin(ids, [other for other in whole if other < value])
    larger = np.isin(ids, [other for other in whole if other > value])
    touching = sum(
        np.count_nonzero(smaller[here] & larger[there])
        + np.count_nonzero(larger[here] & smaller[there])
        for here, there in (
            (np.s_[:, :-1], np.s_[:, 1:]),
            (np.s_[:-1], np.s_[1:]),
        )
    )
    rows, columns = np.nonzero(ids == value)
    rim = np.count_nonzero(np.isin(ids, list(thin)))
    if len(rows) < _OWN_LINED * touching or rim < _LINED * touching:
        return False
    if rim < _LEAST or (rim < _SCRAPS and _direct(ids) > _DIRECT):
        return False
    around = np.stack(
        [
            ids[(rows + down).clip(0, len(ids) - 1), (columns + right).clip(0, ids.shape[1] - 1)]
            for down in (-1, 0, 1)
            for right in (-1, 0, 1)
        ]
    )
    low, high = (int(np.median(part)) for part in (around.min(0), around.max(0)))
    averages = [other for other in range(low + 1, high) if other not in thick]
    return 2 * len(set(averages) & set(thin)) >= len(averages)


def _direct(ids: NDArray[Any]) -> float:
    """The share of the contacts of two ids in which these differ by more than one: none where
    averages lie between all of them.
    """
    steps = [
        np.abs(first.astype(np.int32) - second)[(first != IGNORE) & (second != IGNORE)]
        for first, second in ((ids[:, :-1], ids[:, 1:]), (ids[:-1], ids[1:]))
    ]
    contacts, wide = (sum(int(np.count_nonzero(step >= n)) for step in steps) for n in (1, 2))
    return wide / max(contacts, 1)


def _is_rim(mask: NDArray[np.uint8], value: int) -> bool:
    rows, columns = np.nonzero(mask == value)
    top, left = max(rows.min() - 2, 0), max(columns.min() - 2, 0)
    part = mask[top : rows.max() + 3, left : columns.max() + 3]
    own = np.pad(part == value, 2)
    if own[1:-1, 1:-1].size and _eroded(own).any():
        return False
    others = part.astype(np.int16)
    others[(part == value) | (part == IGNORE)] = -1
    low = _window(np.where(others < 0, IGNORE, others), np.minimum)
    high = _window(others, np.maximum)
    at = part == value
    between = (low[at] < value) & (high[at] > value)
    return bool(np.count_nonzero(between) >= _BETWEEN * at.sum())


def _eroded(own: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where a 3 x 3 block of *own* (padded) is whole."""
    rows = own[:-2] & own[1:-1] & own[2:]
    return rows[:, :-2] & rows[:, 1:-1] & rows[:, 2:]


def _window(values: NDArray[np.int16], choose: np.ufunc) -> NDArray[np.int16]:
    """The least or largest value within two pixels of each."""
    for axis in (0, 1):
        padded = np.pad(values, [(2, 2) if axis == n else (0, 0) for n in (0, 1)], mode="edge")
        size = values.shape[axis]
        shifted = [padded.take(range(step, step + size), axis) for step in range(5)]
        values = choose.reduce(shifted)
    return values


def notes(mask: NDArray[np.uint8], counts: Mapping[int, int], path: Path) -> list[Note]:
    """A note where the mask file *path* has such values."""
    if not (values := rims(mask, counts)):
        return []
    listed = ", ".join(f"{value} ({counts[value]} px)" for value in values[:6])
    return [
        Note(
            "phantom-class",
            f"{path.name}: class {listed} occurs only as a rim between two other classes, as"
            " interpolation and JPEG make it; export the mask again with nearest neighbor",
        )
    ]
