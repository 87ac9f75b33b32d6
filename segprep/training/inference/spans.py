"""Where tiles lie along an axis, and how much each counts at each of its pixels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segprep.training.models.unet_paper import BORDER, valid_size

PHASE = 32  # starts of tiles are multiples of it, so that the poolings of all of them agree
# pixels of an overlap, where nothing better is known: what counts nothing, what fades
RIM, FADE = (96, 64)


@dataclass(frozen=True, slots=True, eq=False)
class Span:
    """Along one axis: a tile from *start* on gives the pixels *first* to *last* - 1, each by its
    *weight*. The weights of all tiles sum to 1.
    """

    start: int
    first: int
    last: int
    weight: NDArray[np.float32]


def overlap_of(tile: int, reach: int | None) -> tuple[int, int]:
    """By how much tiles of side *tile* overlap, and the *rim* of an inner side that counts nothing:
    as wide as the network's *reach* where that fits the tile; else (or None) RIM, or what does.
    """
    if reach is not None and (overlap := -(-2 * reach // PHASE) * PHASE) <= tile * 3 // 4:
        return overlap, reach
    overlap = min(2 * RIM + FADE, tile // 2 // PHASE * PHASE)
    return overlap, (overlap - min(FADE, overlap // 2)) // 2


def cuts(length: int, tile: int, reach: int | None = None) -> list[Span]:
    """Overlapping tiles of side *tile* over *length* pixels; the first begins and the last ends
    with them, and only their inner sides fade. With *reach*, as :func:`overlap_of` has it.

    >>> [(cut.start, cut.first, cut.last) for cut in cuts(128, 64)]
    [(0, 0, 64), (32, 32, 96), (64, 64, 128)]
    """
    if length <= tile:
        return [Span(0, 0, length, np.ones(length, np.float32))]
    overlap, rim = overlap_of(tile, reach)
    last = -(-(length - tile) // PHASE) * PHASE
    starts = [*range(0, last, tile - overlap), last]
    weights = [_ramp(tile, overlap, rim, start > 0, start < last) for start in starts]
    total = np.zeros(last + tile)
    for start, weight in zip(starts, weights, strict=True):
        total[start : start + tile] += weight
    ends = [min(start + tile, length) for start in starts]
    return [
        Span(start, start, end, (weight[: end - start] / total[start:end]).astype(np.float32))
        for start, end, weight in zip(starts, ends, weights, strict=True)
    ]


def _ramp(tile: int, overlap: int, rim: int, before: bool, after: bool) -> NDArray[np.float64]:
    """(tile,) weights: 0 on the *rim*, rising to 1 within the *overlap*, on inner sides."""
    places = np.arange(tile) + 0.5
    depth = np.full(tile, np.inf)
    if before:
        depth = places
    if after:
        depth = np.minimum(depth, tile - places)
    return np.clip((depth - rim) / max(overlap - 2 * rim, 1), 0, 1)


def valid_cuts(length: int, tile: int, side: int | None = None) -> tuple[int, list[Span]]:
    """The side of a tile of valid convolutions whose result has *tile* pixels or a few more, and
    tiles whose results lie side by side; starts are of the results.
    """
    side = side or valid_size(min(tile, length) + 2 * BORDER)
    whole = length <= side - 2 * BORDER
    stride = length if whole else (side - 2 * BORDER) // 16 * 16
    parts = [(start, min(start + stride, length)) for start in range(0, length, stride)]
    return side, [
        Span(first, first, last, np.ones(last - first, np.float32)) for first, last in parts
    ]
