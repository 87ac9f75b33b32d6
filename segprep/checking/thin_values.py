"""Pixel values of a mask without any 3 x 3 block: what smoothing leaves on borders, if they lie
between their neighbors; fast, since every mask is looked at.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segprep import kernel
from segprep.imaging import phantom

# the share of a value's pixels that have a smaller and a larger one beside them: of FEW pixels,
# which may be scraps of a class that others cover, nearly all
BETWEEN, FEW, SURE = 0.6, 32, 0.9


def find(ids: NDArray[Any], values: Mapping[int, int]) -> tuple[frozenset[int], frozenset[int]]:
    """Values without a 3 x 3 block of their own, and those of them that mostly lie between a
    smaller and a larger neighbor, as smoothing makes them.
    """
    if min(ids.shape) < 3:
        return frozenset(), frozenset()
    rest = sorted(values.keys() - _broad(ids))
    if not rest:
        return frozenset(), frozenset()
    thin = frozenset(rest)
    if kernel.compiled is None or ids.dtype != np.uint8:
        thin -= _with_blocks(ids, rest)
    inside = sorted(thin - {min(values), max(values)})  # the extremes lie between nothing
    if not inside:
        return thin, frozenset()
    flat, at = ids.reshape(-1), _inner(ids, inside)
    around = flat[at + np.array(_steps_around(ids.shape[1]))[:, None]]
    own = flat[at]
    middle = (around.min(0) < own) & (own < around.max(0))
    between = [
        value
        for value in inside
        if (seen := own == value).any()
        and middle[seen].mean() >= (BETWEEN if values[value] > FEW else SURE)
    ]
    thick = set(values) - thin
    smoothed = (v for v in between if phantom.from_smoothing(ids, v, thin=thin, thick=thick))
    return thin, frozenset(smoothed)


def _with_blocks(ids: NDArray[Any], values: Sequence[int]) -> frozenset[int]:
    """Those of *values* that have a 3 x 3 block of their own."""
    flat, centers = ids.reshape(-1), _inner(ids, values)
    for step in _steps_around(ids.shape[1]):
        if not len(centers):
            break
        centers = centers[flat[centers + step] == flat[centers]]
    return frozenset(np.unique(flat[centers]).tolist())


def _steps_around(width: int) -> tuple[int, ...]:
    """The eight neighbors of a pixel, as steps in the flat rows of *width*."""
    return tuple(
        width * down + right for down in (-1, 0, 1) for right in (-1, 0, 1) if down or right
    )


def _inner(ids: NDArray[Any], values: Sequence[int]) -> NDArray[np.intp]:
    """Flat positions of the pixels of *values* that are not on the outer rim."""
    if len(values) <= 3:
        chosen = ids == values[0]
        for value in values[1:]:
            chosen |= ids == value
    else:
        table = np.zeros(int(ids.max()) + 1, np.bool_)
        table[list(values)] = True
        chosen = table[ids]
    chosen[[0, -1]] = False
    chosen[:, [0, -1]] = False
    return np.flatnonzero(chosen)


def _broad(ids: NDArray[Any]) -> frozenset[int]:
    """Values that fill three words of eight pixels, one above the other: surely no thin ones, found
    at an eighth of the cost of looking at every pixel. The kernel gives all that are not thin.
    """
    if kernel.compiled is not None and ids.dtype == np.uint8:
        return frozenset(kernel.compiled.blocks(ids, ids.shape[1]))
    width = ids.shape[1] & ~7
    if ids.dtype != np.uint8 or width < 8:
        return frozenset()
    rows = ids[: len(ids) // 3 * 3, :width].reshape(-1, 3, width)  # disjoint, which will do
    top, middle, low = (np.ascontiguousarray(rows[:, n]).view(np.uint64) for n in range(3))
    blocks = middle[(top == middle) & (low == middle)]
    blocks = blocks[blocks == (blocks >> np.uint64(8) | blocks << np.uint64(56))]
    return frozenset(np.flatnonzero(np.bincount((blocks & np.uint64(255)).view(np.int64))).tolist())
