"""Pictures that show one scene from a camera that moved on: how well they agree where they overlap,
at the best of all shifts.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segprep.imaging import resemblance
from segprep.imaging.likeness import SIDE
from segprep.names import film_of

SMOOTH = 2  # pixels on each side, whose mean is taken off: light and sky agree in many scenes
FAR = 8  # pixels: a quarter of the picture
CORNER = 2  # pixels from the sides: a frame that is even there may be all that two pictures share
SAME = 0.8
FRAMES = 2  # before a picture, by number, that may show its scene a step earlier
BLOCK = 256  # pairs that are compared at once


def neighbors(stems: Iterable[str]) -> Iterator[tuple[int, int]]:
    """The numbers of two of *stems*, in natural order, that may be frames of one film: their names
    differ in their last number only, and fewer than FRAMES are between them.
    """
    before = deque[str](maxlen=FRAMES)
    for n, film in enumerate(map(film_of, stems)):
        for steps, earlier in enumerate(reversed(before), 1):
            if earlier == film:
                yield n - steps, n
        before.append(film)


def same_scene(
    thumbnails: Sequence[NDArray[np.uint8]], pairs: Iterable[tuple[int, int]]
) -> Iterator[tuple[int, int, float]]:
    """Those of *pairs*, the numbers of two *thumbnails* (SIDE, SIDE), that show one scene, and the
    correlation of their details where they overlap, at the best shift. Two that have an even frame,
    as retinas do, whosever they are, are not said to.
    """
    remaining = iter(pairs)
    while block := list(islice(remaining, BLOCK)):
        left, right = ([thumbnails[n] for n in side] for side in zip(*block, strict=True))
        agreements = _agreements(np.array(left), np.array(right)).tolist()
        for pair, *pictures, agreement in zip(block, left, right, agreements, strict=True):
            if agreement >= SAME and not all(map(_framed, pictures)):
                yield *pair, agreement


def _agreements(first: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(N,) the correlation, -1 to 1, of the details of two pictures each (N, SIDE, SIDE)."""
    size = (SIDE + FAR, SIDE + FAR)
    inside = np.fft.rfft2(np.ones((1, SIDE, SIDE)), size)
    here, there = (
        [np.fft.rfft2(part, size) for part in (detail, detail**2)]
        for detail in map(_details, (first, other))
    )

    def sums(left: NDArray[Any], right: NDArray[Any]) -> NDArray[np.float64]:
        """Of the products of all pixels that meet, for every shift within FAR."""
        shifts = np.arange(-FAR, FAR + 1)
        every = np.fft.irfft2(left * np.conj(right), size)
        return np.asarray(every[:, shifts[:, None], shifts])

    count = sums(inside, inside)
    mean, other_mean = sums(here[0], inside) / count, sums(inside, there[0]) / count
    spread = sums(here[1], inside) / count - mean**2
    other_spread = sums(inside, there[1]) / count - other_mean**2
    joint = sums(here[0], there[0]) / count - mean * other_mean
    told = np.minimum(spread, other_spread) > 1
    length = np.sqrt(np.maximum(spread * other_spread, 1))
    return np.asarray(np.max(joint / length, axis=(1, 2), where=told, initial=0.0))


def _framed(picture: NDArray[np.uint8]) -> bool:
    """Whether all four corners are even."""
    ends = [CORNER, SIDE - 1 - CORNER]
    return bool(resemblance.margin(picture)[np.ix_(ends, ends)].all())


def _details(pictures: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The *pictures* (N, SIDE, SIDE) less the mean around every pixel."""
    width = 2 * SMOOTH + 1
    around = [(0, 0), (SMOOTH, SMOOTH), (SMOOTH, SMOOTH)]
    sums = np.pad(pictures.astype(np.float64), around, mode="edge")
    sums = np.pad(sums.cumsum(1).cumsum(2), ((0, 0), (1, 0), (1, 0)))
    mean = sums[:, width:, width:] - sums[:, :-width, width:] - sums[:, width:, :-width]
    mean += sums[:, :-width, :-width]
    return np.asarray(pictures - mean / width**2)
