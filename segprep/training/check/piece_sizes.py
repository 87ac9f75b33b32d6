"""How large the pieces of each class are, so that what a network paints is told from objects.

A network that fills a strip of floor with "hazelnut" has found no hazelnut that the mask lacks: no
hazelnut of the dataset is that large.
"""

from collections import defaultdict
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from segprep.types import IGNORE

# a piece this many times as large as the largest one in all other masks is none of its class
TOO_LARGE = 3.0


class PieceSizes:
    """The largest connected piece of each class in every mask, as a share of the mask."""

    def __init__(self, masks: Iterable[tuple[str, NDArray[np.uint8]]]) -> None:
        self.largest: dict[int, list[tuple[float, str]]] = defaultdict(list)
        for stem, mask in masks:
            for value in np.setdiff1d(np.unique(mask), [IGNORE]).tolist():
                _, sizes = numbered(mask == value)
                self.largest[value].append((float(sizes.max()) / mask.size, stem))
        for value, shares in self.largest.items():
            self.largest[value] = sorted(shares, reverse=True)[:2]

    def implausible(self, guess: NDArray[np.uint8], stem: str) -> NDArray[np.bool_]:
        """Where *guess* (h, w), predicted for the image *stem*, has pieces far larger than any of
        their class in the other masks. A class that no other mask holds has no such pieces.
        """
        places = np.zeros(guess.shape, np.bool_)
        for value in np.unique(guess).tolist():
            others = [share for share, name in self.largest.get(value, ()) if name != stem]
            if others:
                pieces, sizes = numbered(guess == value)
                large = sizes > TOO_LARGE * others[0] * guess.size
                places |= large[pieces]
        return places


def numbered(inside: NDArray[np.bool_]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """The pieces of *inside* (h, w), numbered from 1, and the pixels of each; 0 for the rest."""
    from scipy.ndimage import label

    pieces, _ = label(inside)
    sizes = np.bincount(pieces.reshape(-1))
    sizes[0] = 0
    return pieces, sizes
