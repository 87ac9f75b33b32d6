"""Ids that JPEG or smoothing made in a mask: single pixels between a smaller and a larger id, where
drawn regions touch without a step between.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segprep.types import IGNORE

# of the places where ids meet that are not neighbors, the share with a step between: at most .01 in
# drawn masks, .4 and more in smoothed ones; and how many steps tell anything
STEPPED, LEAST_STEPS = 0.25, 16
_BAND = 1 << 20  # pixels that are looked at together
_NOISE = 0.1  # the share of pixels that are steps beyond which there are no regions to smooth
_INSIDE = 0.3  # the share of a value's pixels that are inside, up to which it is a drawn border
HINT = "the masks were smoothed or saved as JPEG, before they became PNG perhaps: export them again"


@dataclass(frozen=True, slots=True)
class MaskSteps:
    """Of one mask: the values that are steps, where these are many; and at how many (*count*) of
    the *places* where ids meet that are not neighbors a step lies between them.
    """

    values: frozenset[int] = frozenset()
    count: int = 0
    places: int = 0

    @property
    def share(self) -> float:
        """The share of such places with a step."""
        return self.count / max(1, self.places)


NONE = MaskSteps()


def find(mask: NDArray[Any], counts: Mapping[int, int]) -> frozenset[int]:
    """The values of *mask* (H, W), whose histogram is *counts*, that are steps between ids further
    apart, where many of the places where such ids meet have one.
    """
    return measure(mask, counts).values


def measure(mask: NDArray[Any], counts: Mapping[int, int]) -> MaskSteps:
    """The steps of *mask* (H, W), whose histogram is *counts*; no values where one alone may be a
    border that was drawn all around, nothing at all where no regions touch.
    """
    if len(counts.keys() - {IGNORE}) < 3:
        return NONE
    (height, width), flat = mask.shape, np.ascontiguousarray(mask).reshape(-1)
    steps, direct, count = list[NDArray[Any]](), 0, max(1, _BAND // width)
    for top in range(0, height, count):
        rows = flat[top * width : (top + count + 2) * width]
        for stride in (1, width)[:width]:  # the same where there is one column
            between, apart = _meetings(rows, width, stride, count)
            steps.append(between)
            direct += apart
    total = sum(map(len, steps))
    if total > _NOISE * mask.size:
        return NONE
    few = total < LEAST_STEPS or total < STEPPED * (total + direct)
    if few and 20 * direct >= total:
        return MaskSteps(frozenset(), total, total + direct)
    values = np.unique(np.concatenate(steps))
    if len(values) == 1 and 20 * direct < total and _is_line(mask == values[0]):
        return NONE  # a border that was drawn
    return MaskSteps(frozenset() if few else frozenset(values.tolist()), total, total + direct)


def has_slivers(mask: NDArray[Any], steps: MaskSteps) -> bool:
    """Whether strips of 3 to 6 pixels lie between smaller and larger ids of *mask* (H, W) nearly as
    often as the single pixels of *steps*: thin rests that were drawn have any width.
    """
    wide = 0
    for rows in (mask, np.ascontiguousarray(mask.T)):
        solid = np.zeros(rows.shape, bool)  # centers of 3 x 3 pixels of one id
        same = (rows[:, :-2] == rows[:, 1:-1]) & (rows[:, 2:] == rows[:, 1:-1])
        level = (rows[:-2, 1:-1] == rows[1:-1, 1:-1]) & (rows[2:, 1:-1] == rows[1:-1, 1:-1])
        solid[1:-1, 1:-1] = same[:-2] & same[1:-1] & same[2:] & level
        for width in range(3, min(7, rows.shape[1] - 1)):
            before, after = rows[:, : -width - 1], rows[:, width + 1 :]
            first = rows[:, 1:-width]
            strip = (np.minimum(before, after) < first) & (first < np.maximum(before, after))
            strip &= np.maximum(before, after) != IGNORE
            for shift in range(1, width):
                strip &= rows[:, 1 + shift : rows.shape[1] - width + shift] == first
            center = 1 + width // 2
            wide += int(np.count_nonzero(strip & solid[:, center : center + strip.shape[1]]))
    return 2 * wide >= steps.count


def _meetings(rows: NDArray[Any], width: int, stride: int, count: int) -> tuple[NDArray[Any], int]:
    """Where the first *count* of some *rows* (N * width,) change from a pixel to the next one, at a
    *stride* of 1 or *width*: pixels between a smaller and a larger one, and how many pairs are not
    neighbors.
    """
    changed = rows[stride:] != rows[:-stride]
    if stride < width:
        changed[width - 1 :: width] = False  # from the end of a row to the next one
    at = np.flatnonzero(changed[: count * width])
    first, second = rows[at], rows[at + stride]
    low, high = np.minimum(first, second), np.maximum(first, second)
    apart = int(np.count_nonzero((high - low >= 2) & (high != IGNORE)))
    inner = at[at + stride < len(changed)]
    inner = inner[changed[inner + stride]]
    if not inner.size:
        return rows[:0], apart
    own, ends = rows[inner + stride], (rows[inner], rows[inner + 2 * stride])
    low, high = np.minimum(*ends), np.maximum(*ends)
    return own[(low < own) & (own < high) & (high != IGNORE)], apart


def _is_line(own: NDArray[np.bool_]) -> bool:
    """Whether few pixels of *own* (H, W) are the center of a 3 x 3 block of it."""
    rows = own[:-2] & own[1:-1] & own[2:]
    centers = np.count_nonzero(rows[:, :-2] & rows[:, 1:-1] & rows[:, 2:])
    return bool(centers < _INSIDE * np.count_nonzero(own))


def told(values: Sequence[int]) -> str:
    """What is said of the *values* that are steps."""
    listed = ", ".join(map(str, values[:8])) + ", …" * (len(values) > 8)
    where = "between smaller and larger ids"
    return f"{listed} also occur as single pixels {where}, as JPEG and smoothing make them"
