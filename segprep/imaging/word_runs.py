"""Masks as runs of equal words of eight pixels: counting and translating them costs what their
outlines are long, not what their area is.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_SPREAD = np.arange(256, dtype=np.uint64) * np.uint64(
    0x0101010101010101
)  # eight pixels of one value


def spread(values: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Words of eight pixels of each of the *values*, the first pixel lowest."""
    return _SPREAD.take(values).astype("<u8", copy=False)


@dataclass(frozen=True, slots=True)
class WordRuns:
    """A flat mask as runs of equal *words* of 8 pixels (N,), how many times each comes (*lengths*),
    and the *rest*, up to 7 pixels.

    Masks are flat: nearly all of their words hold one value, and follow one like them.
    """

    words: NDArray[np.uint64]
    lengths: NDArray[np.intp]
    rest: NDArray[np.uint8]

    def counts(self) -> NDArray[np.int64]:
        """How often each value occurs, (256,)."""
        first = self.words.view(np.uint8)[::8]
        mixed = np.flatnonzero(_SPREAD.take(first) != self.words)
        even = self.lengths.astype(np.float64)  # what bincount would make of them
        even[mixed] = 0
        counts = 8 * np.bincount(first, even, 256).astype(np.int64)
        odd = np.repeat(self.words[mixed], self.lengths[mixed]).view(np.uint8)
        odd = np.concatenate([odd, self.rest]) if self.rest.size else odd
        return np.bincount(odd, minlength=256) + counts

    def through(self, values: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """``values[pixel]`` of all pixels."""
        words = values.take(self.words.view(np.uint8)).view(np.uint64)
        pixels = np.repeat(words, self.lengths).view(np.uint8)
        return np.concatenate([pixels, values.take(self.rest)]) if self.rest.size else pixels


def runs_of(flat: NDArray[np.uint8]) -> WordRuns:
    """*flat* (N,) as runs."""
    whole = flat.size & ~7
    words = flat[:whole].view(np.uint64)
    edges = np.flatnonzero(words[1:] != words[:-1])
    bounds = np.zeros(len(edges) + 2, np.intp)
    bounds[1:-1], bounds[-1] = edges + 1, len(words)
    bounds = bounds if whole else bounds[:1]
    return WordRuns(words[bounds[:-1]], bounds[1:] - bounds[:-1], flat[whole:])
