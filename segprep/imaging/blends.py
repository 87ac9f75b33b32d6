"""Colored masks that were smoothed: single pixels of a color between those of their neighbors,
where drawn regions touch without one between.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segprep.imaging.steps import LEAST_STEPS, STEPPED


@dataclass(frozen=True, slots=True)
class Regions:
    """Of one mask: the 24-bit codes of the colors that fill a block of 3 x 3 pixels somewhere, and
    whether the other ones are *blends* of them, as smoothing makes them.
    """

    colors: frozenset[int]
    blends: bool


def find(shown: NDArray[np.uint8]) -> Regions:
    """The regions of *shown* (H, W, 3)."""
    codes = shown.astype(np.uint32) @ np.array([65_536, 256, 1], np.uint32)
    steps = contacts = 0
    for axis in (0, 1):
        colors, ids = (np.moveaxis(array, axis, 0) for array in (shown, codes))
        low, high = (choose(colors[:-2], colors[2:]) for choose in (np.minimum, np.maximum))
        between = ((low <= colors[1:-1]) & (colors[1:-1] <= high)).all(2)
        differs = (ids[1:-1] != ids[:-2]) & (ids[1:-1] != ids[2:])
        steps += int(np.count_nonzero(between & differs))
        contacts += int(np.count_nonzero(ids[1:] != ids[:-1]))
    rows = (codes[:-2] == codes[1:-1]) & (codes[1:-1] == codes[2:])
    same = (codes[1:-1, :-2] == codes[1:-1, 1:-1]) & (codes[1:-1, 1:-1] == codes[1:-1, 2:])
    centers = codes[1:-1, 1:-1][rows[:, :-2] & rows[:, 1:-1] & rows[:, 2:] & same]
    # a step is two contacts, of which a drawn border would be one
    blends = LEAST_STEPS <= steps >= STEPPED * (contacts - steps)
    return Regions(frozenset(np.unique(centers).tolist()), blends)
