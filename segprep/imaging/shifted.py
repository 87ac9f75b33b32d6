"""Pictures that show one scene from a camera that moved on: how well they agree where they overlap,
at the best of all shifts.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from segprep.imaging import likeness

SIDE = 64
SMOOTH = 5  # pixels on each side, whose mean is taken off: light and sky agree in many scenes
FAR = 16  # pixels: a quarter of the picture
CORNER = 4  # pixels from the sides: a frame that is even there may be all that two pictures share
SAME = 0.8


def agreement(first: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """The correlation, -1 to 1, of the details of two pictures (SIDE, SIDE) where they overlap, at
    the best shift; 0 where both have an even frame, as retinas do, whosever they are.
    """
    if _framed(first) and _framed(other):
        return 0.0
    size = (2 * SIDE, 2 * SIDE)
    inside = np.fft.rfft2(np.ones((SIDE, SIDE)), size)
    here, there = (
        [np.fft.rfft2(part, size) for part in (detail, detail**2)]
        for detail in map(_details, (first, other))
    )

    def sums(left: NDArray[Any], right: NDArray[Any]) -> NDArray[np.float64]:
        """Of the products of all pixels that meet, for every shift within FAR."""
        shifts = np.arange(-FAR, FAR + 1)
        every = np.fft.irfft2(left * np.conj(right), size)
        return np.asarray(every[np.ix_(shifts, shifts)])

    count = sums(inside, inside)
    mean, other_mean = sums(here[0], inside) / count, sums(inside, there[0]) / count
    spread = sums(here[1], inside) / count - mean**2
    other_spread = sums(inside, there[1]) / count - other_mean**2
    joint = sums(here[0], there[0]) / count - mean * other_mean
    told = np.minimum(spread, other_spread) > 1
    length = np.sqrt(np.maximum(spread * other_spread, 1))
    return float(np.max(joint / length, where=told, initial=0.0))


def _framed(picture: NDArray[np.uint8]) -> bool:
    """Whether all four corners are even."""
    ends = [CORNER, SIDE - 1 - CORNER]
    return bool(likeness.margin(picture)[np.ix_(ends, ends)].all())


def _details(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The picture less the mean around every pixel."""
    width = 2 * SMOOTH + 1
    sums = np.pad(picture.astype(np.float64), SMOOTH, mode="edge")
    sums = np.pad(sums.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    around = sums[width:, width:] - sums[:-width, width:] - sums[width:, :-width]
    around += sums[:-width, :-width]
    return np.asarray(picture - around / width**2)
