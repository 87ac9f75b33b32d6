"""How much two pictures of one size resemble each other: the correlation of their pixels."""

import numpy as np
from numpy.typing import NDArray

ALIKE = 0.95  # a correlation from which on two pictures look alike
# of a frame: levels that its pixels may differ by, pixels of its rim, and fewest pixels inside it
EVEN, RIM, LEAST_INSIDE = 6, 2, 64


def resemblance(first: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """The lower of two correlations, -1 to 1: of all pixels, and of those inside a frame that both
    pictures (H, W) have, as retinas and endoscopes show what they see in a black surround. Two
    retinas agree in that, whosever they are.
    """
    correlation = correlated(first, other)
    if correlation < ALIKE:
        return correlation
    shared = margin(first) & margin(other)
    padded = np.pad(shared, RIM)  # the rim between frame and picture is shared as well
    inside = ~np.lib.stride_tricks.sliding_window_view(padded, (2 * RIM + 1,) * 2).any((2, 3))
    if inside.sum() < LEAST_INSIDE:
        return correlation
    return min(correlation, correlated(first[inside], other[inside]))


def margin(picture: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where each row and column of *picture* (H, W) has not changed yet, seen from its two ends."""
    margin = np.zeros(picture.shape, np.bool_)
    for quarter in range(4):
        levels = np.rot90(picture, quarter).astype(np.int16)
        same = np.abs(levels - levels[:, :1]) <= EVEN
        seen = np.rot90(margin, quarter)  # a view
        seen |= np.logical_and.accumulate(same, axis=1)
    return margin


def correlated(first: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """The correlation of the pixels of two pictures, -1 to 1; 0 where one is flat."""
    a, b = first.astype(np.float64).reshape(-1), other.astype(np.float64).reshape(-1)
    a, b = a - a.mean(), b - b.mean()
    length = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / length if length else 0.0
