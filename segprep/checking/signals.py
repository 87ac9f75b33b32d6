"""How well the borders of a mask lie on the edges of its image, what the image's colors tell of its
classes, and which colors and places these have: all on a coarse grid, from the data alone.

The strength of the image's edges, as ranks, is correlated with the borders of the mask under all
circular shifts at once (by Fourier transform). Each map of correlations is put in units of its own
spread, so that images of all kinds compare.
"""

from functools import cache, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segprep import kernel
from segprep.checking import information
from segprep.checking.information import GRID
from segprep.checks._common.fit import LEAST_TOLD
from segprep.checks._common.survey import Cells, Signals
from segprep.imaging import likeness
from segprep.types import IGNORE

LEAST = 12  # border cells without which a mask says nothing
FAR = 10  # cells: about a sixth of the picture
_THIRDS = np.full(3, 1 / 3, np.float32)
TURNS = {name: turn for name, turn in likeness.TURNS.items() if name}


def measure(colors: NDArray[np.uint8], mask: NDArray[Any]) -> Signals:
    """The signals of an image in short, (GRID, GRID, 3), and its mask (H, W), both upright."""
    small = squeezed(mask)
    hue, position = prototypes(colors, small)
    border, edge = borders(small), edges(colors)
    count = int(border.sum())
    if count < LEAST or not edge.any():
        return Signals(0.0, 0.0, "", 0.0, (0.0, 0.0), 0, (0.0, 0.0, 0.0), hue, position)
    told = information.measure(colors, small)
    last = len(TURNS) + 1
    own = correlations(edge, border).reshape(-1)
    mean = count * float(edge.sum()) / own.size
    own -= np.float32(mean)
    spread = float(np.sqrt(np.vdot(own, own) / own.size)) + 1e-12
    near = float(own.take(_around(1)).max()) / spread
    turned = (_near(edge, border) - mean) / spread
    # a turn is better where edges and colors together say so
    best = int((turned + (told[1:last] - told[0]) / np.sqrt(max(told[0], LEAST_TOLD))).argmax())
    down, right, moved = _shift(own)
    return Signals(
        near,
        float(turned[best]),
        list(TURNS)[best],
        moved / spread,
        (down / GRID, right / GRID),
        count,
        (float(told[0]), float(told[1 + best]), float(told[last:].max())),
        hue,
        position,
    )


def _shift(own: NDArray[Any]) -> tuple[int, int, float]:
    """The best shift (down, right) in cells, at most FAR, and its value of *own* (cells)."""
    values = own.take(_around(FAR))
    best = int(values.argmax())
    row, column = divmod(best, 2 * FAR + 1)
    return row - FAR, column - FAR, float(values[best])


@cache
def _around(far: int) -> NDArray[np.intp]:
    """Flat positions of the shifts by at most *far* cells down or right, row by row."""
    steps = np.arange(-far, far + 1)
    return (steps[:, None] % GRID * GRID + steps % GRID).reshape(-1)


def squeezed(mask: NDArray[Any]) -> NDArray[Any]:
    """The mask at the centers of GRID x GRID cells."""
    return np.asarray(mask.reshape(-1).take(_centers(*mask.shape)))


@lru_cache(maxsize=16)
def _centers(height: int, width: int) -> NDArray[np.intp]:
    """(GRID, GRID) flat positions of the centers of the cells of a mask."""
    steps = np.arange(GRID) * 2 + 1
    return np.asarray(steps[:, None] * height // (2 * GRID) * width + steps * width // (2 * GRID))


def edges(colors: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """(side, side): ranks from 0 of the gradient's strength, of an image in short (side, side, 3),
    *side* at most 256; zeros for a picture without any.
    """
    gray = colors.reshape(-1, 3).astype(np.float32).dot(_THIRDS).reshape(colors.shape[:2])
    down, right = np.empty_like(gray), np.empty_like(gray)
    down[1:-1] = (gray[2:] - gray[:-2]) / 2
    down[0], down[-1] = gray[1] - gray[0], gray[-1] - gray[-2]
    right[:, 1:-1] = (gray[:, 2:] - gray[:, :-2]) / 2
    right[:, 0], right[:, -1] = gray[:, 1] - gray[:, 0], gray[:, -1] - gray[:, -2]
    strength = np.sqrt(down * down + right * right).reshape(-1)
    top = float(strength.max())
    if not top:
        return np.zeros(gray.shape, np.uint16)
    # sixteen bits are sorted by their digits, ten times as fast as floats
    levels = (strength * (65_535 / top)).astype(np.uint16)
    order = np.empty(strength.size, np.uint16)
    order[levels.argsort(kind="stable")] = np.arange(strength.size, dtype=np.uint16)
    return order.reshape(gray.shape)


def borders(small: NDArray[Any]) -> NDArray[Any]:
    """(GRID, GRID) bool: where the class changes to a neighbor; not to or from ignored pixels."""
    valid = small != IGNORE
    down = (small[1:] != small[:-1]) & valid[1:] & valid[:-1]
    right = (small[:, 1:] != small[:, :-1]) & valid[:, 1:] & valid[:, :-1]
    edges = np.zeros(small.shape, np.bool_)
    edges[1:] |= down
    edges[:-1] |= down
    edges[:, 1:] |= right
    edges[:, :-1] |= right
    return edges


def correlations(edge: NDArray[Any], border: NDArray[Any]) -> NDArray[Any]:
    """(GRID, GRID): the sum of edge ranks under the border moved by every (down, right)."""
    edges, lines = np.fft.rfft2(np.array([edge, border], np.float32))
    spectrum = edges * np.conj(lines)
    return np.asarray(np.fft.irfft2(spectrum, s=(GRID, GRID)))


def _near(edge: NDArray[Any], border: NDArray[Any]) -> NDArray[Any]:
    """For each of TURNS: the best sum of edge ranks under the turned border, as it lies or moved by
    a cell. Its mean over all shifts is that of the border as it is.
    """
    around = np.empty((GRID + 2, GRID + 2), edge.dtype)
    around[1:-1, 1:-1] = edge
    around[0], around[-1] = around[-2], around[1]
    around[:, 0], around[:, -1] = around[:, -2], around[:, 1]
    if kernel.compiled is not None:
        packed = kernel.compiled.sums_near(around, border, _places(), GRID + 2)
        return np.asarray(np.frombuffer(packed, np.int64).reshape(-1, 9).max(1))
    lines = _places().take(np.flatnonzero(border), axis=1)
    starts = [down * (GRID + 2) + right for down in range(3) for right in range(3)]
    flat = around.reshape(-1)
    return np.asarray(np.max([flat[start:].take(lines).sum(1) for start in starts], axis=0))


@cache
def _places() -> NDArray[np.uint16]:
    """(TURNS, cells): where each cell lies after each turn, in rows of GRID + 2."""
    cells = np.arange(GRID * GRID).reshape(GRID, GRID)
    flat = np.stack([turn(cells).reshape(-1).argsort() for turn in TURNS.values()])
    return (flat // GRID * (GRID + 2) + flat % GRID).astype(np.uint16)


def prototypes(colors: NDArray[np.uint8], small: NDArray[Any]) -> tuple[Cells, Cells]:
    """Cells by class and color (of 4 x 4 x 4), and by class and place (of 8 x 8), but ignored
    ones.
    """
    quarters = colors >> 6
    bins = quarters[..., 0] * np.uint8(16) + quarters[..., 1] * np.uint8(4) + quarters[..., 2]
    places = _blocks()
    if kernel.compiled is not None and small.dtype == np.uint8:
        return _met(small, bins), _met(small, places)
    values = small.astype(np.int64) * 64
    if not (counted := small != IGNORE).all():
        values, bins, places = values[counted], bins[counted], places[counted]
    return _counts((values + bins).reshape(-1)), _counts((values + places).reshape(-1))


@cache
def _blocks() -> NDArray[np.uint8]:
    """(GRID, GRID): which of 8 x 8 parts of the picture a cell lies in."""
    rows, columns = np.mgrid[:GRID, :GRID] // 8
    return np.asarray(8 * rows + columns, np.uint8)


def _met(small: NDArray[np.uint8], bins: NDArray[np.uint8]) -> Cells:
    """What :func:`_counts` gives of values and their *bins*, from the kernel."""
    assert kernel.compiled is not None
    values, columns, counts = np.frombuffer(kernel.compiled.joint(small, bins), np.int64).reshape(
        3, -1
    )
    end = len(values) - np.count_nonzero(values == IGNORE)
    return Cells.of((values * 64 + columns)[:end], counts[:end])


def _counts(keys: NDArray[np.int64]) -> Cells:
    if keys.size and keys.min() >= 0 and keys.max() < 256 * 64:
        table = np.bincount(keys)
        present = np.flatnonzero(table)
        counts = table[present]
    else:  # values that are not ids
        present, counts = np.unique(keys, return_counts=True)
    return Cells.of(present, counts)
