"""Ids that JPEG or smoothing made in a mask: single pixels between a smaller and a larger id, where
drawn regions touch without a step between.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segprep.types import IGNORE

# of the places where ids meet that are not neighbors, the share with a step between: at most .01 in
# drawn masks, .4 and more in smoothed ones; and how many steps tell anything
STEPPED, LEAST_STEPS = 0.25, 16
_NOISE = 0.1  # the share of pixels that are steps beyond which there are no regions to smooth
_INSIDE = 0.3  # the share of a value's pixels that are inside, up to which it is a drawn border
HINT = "the masks were smoothed or saved as JPEG, before they became PNG perhaps: export them again"


def find(
    mask: NDArray[Any], counts: Mapping[int, int], *, least: float = STEPPED
) -> frozenset[int]:
    """The values of *mask* (H, W), whose histogram is *counts*, that are steps between ids further
    apart, where *least* of the places where such ids meet have one; empty where one value alone may
    be a border that was drawn all around.
    """
    if len(counts.keys() - {IGNORE}) < 3:
        return frozenset()
    steps, direct = list[NDArray[Any]](), 0
    for rows in (mask, np.ascontiguousarray(mask.T)):
        low, high = (choose(rows[:, :-2], rows[:, 2:]) for choose in (np.minimum, np.maximum))
        own = rows[:, 1:-1]
        steps.append(own[(low < own) & (own < high) & (high != IGNORE)])
        low, high = (choose(rows[:, :-1], rows[:, 1:]) for choose in (np.minimum, np.maximum))
        direct += int(np.count_nonzero((high - low >= 2) & (high != IGNORE)))
    values, seen = np.unique(np.concatenate(steps), return_counts=True)
    total = int(seen.sum())
    noisy = total > _NOISE * mask.size
    if noisy or total < LEAST_STEPS or total < least * (total + direct):
        return frozenset()
    border = len(values) == 1 and 20 * direct < total and _is_line(mask == values[0])
    return frozenset() if border else frozenset(values.tolist())


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
