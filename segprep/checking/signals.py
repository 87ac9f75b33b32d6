"""How well the borders of a mask lie on the edges of its image, what the image's colors tell of its
classes, and which colors and places these have: all on a coarse grid, from the data alone.

The strength of the image's edges, as ranks, is correlated with the borders of the mask under all
circular shifts at once (by Fourier transform). Each map of correlations is put in units of its own
spread, so that images of all kinds compare.
"""

from functools import cache, lru_cache
from math import sqrt
from struct import unpack
from typing import Any, NamedTuple

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
TURNS = {name: turn for name, turn in likeness.TURNS.items() if name}
_NAMES = tuple(TURNS)


class Measured(NamedTuple):
    """What is counted before anything is weighed, by the kernel or by NumPy: *cells* by color, by
    light and by place; of masks with enough *borders* (cells; else 0), twice the correlation less
    its mean: the largest as it lies or moved by a cell (*near*), the sum of *squares* over all
    shifts, the largest of those by at most FAR cells (*moved*), which is number *shift* of them;
    *turned*: the largest sum of ranks, moved by a cell at most, for each of TURNS; *told*: see
    information.
    """

    borders: int
    cells: tuple[bytes, bytes, bytes]
    shift: int = 0
    near: int = 0
    squares: int = 0
    moved: int = 0
    turned: tuple[int, ...] = ()
    told: tuple[int, ...] = ()


def measure(colors: NDArray[np.uint8], mask: NDArray[Any]) -> Signals:
    """The signals of an image in short, (GRID, GRID, 3), and its mask (H, W), both upright."""
    small = squeezed(mask)
    if kernel.compiled is not None and small.dtype == np.uint8:
        numbers = kernel.compiled.fit(colors, small, information.logs(), LEAST)
        seen = _unpacked(*numbers) if numbers[0] else Measured(*numbers[:2])
    else:
        seen = _measured(colors, small)
    cells = Cells(seen.cells[0]), Cells(seen.cells[1]), Cells(seen.cells[2])
    if not seen.borders:
        return Signals(0.0, 0.0, "", 0.0, (0.0, 0.0), 0, (0.0, 0.0, 0.0), *cells)
    spread = sqrt(seen.squares) / GRID
    mean = seen.borders * (GRID * GRID - 1)
    turned = [(2 * total - mean) / spread for total in seen.turned]
    told = [parts * information.NATS for parts in seen.told]
    unit = sqrt(max(told[0], LEAST_TOLD))
    # a turn is better where edges and colors together say so
    better = [fit + (nats - told[0]) / unit for fit, nats in zip(turned, told[1:], strict=False)]
    best = better.index(max(better))
    down, right = divmod(seen.shift, 2 * FAR + 1)
    return Signals(
        seen.near / spread,
        turned[best],
        _NAMES[best],
        seen.moved / spread,
        ((down - FAR) / GRID, (right - FAR) / GRID),
        seen.borders,
        (told[0], told[1 + best], max(told[len(TURNS) + 1 :])),
        *cells,
    )


def _unpacked(
    borders: int, cells: tuple[bytes, bytes, bytes], shift: int, packed: bytes
) -> Measured:
    near, squares, moved, *rest = unpack(f"{len(packed) // 8}q", packed)
    turned, told = tuple(rest[: len(TURNS)]), tuple(rest[len(TURNS) :])
    return Measured(borders, cells, shift, near, squares, moved, turned, told)


def _measured(colors: NDArray[np.uint8], small: NDArray[Any]) -> Measured:
    """What the kernel's ``fit`` gives, by NumPy."""
    cells = prototypes(colors, small)
    border, edge = borders(small), edges(colors)
    count = int(border.sum())
    if count < LEAST or not edge.any():
        return Measured(0, cells)
    own = correlations(edge, border).reshape(-1)
    far = own.take(_around(FAR))
    shift = int(far.argmax())
    near, squares = int(own.take(_around(1)).max()), int(np.dot(own, own))
    turned = tuple(_near(edge, border).tolist())
    told = tuple(information.measure(colors, small).tolist())
    return Measured(count, cells, shift, near, squares, int(far[shift]), turned, told)


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
    gray = colors.reshape(-1, 3).astype(np.float32).dot(np.ones(3, np.float32))
    gray = gray.reshape(colors.shape[:2])
    down, right = np.empty_like(gray), np.empty_like(gray)
    down[1:-1] = gray[2:] - gray[:-2]
    down[0], down[-1] = 2 * (gray[1] - gray[0]), 2 * (gray[-1] - gray[-2])
    right[:, 1:-1] = gray[:, 2:] - gray[:, :-2]
    right[:, 0], right[:, -1] = 2 * (gray[:, 1] - gray[:, 0]), 2 * (gray[:, -1] - gray[:, -2])
    strength = np.sqrt((down * down + right * right).reshape(-1).astype(np.float64))
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


def correlations(edge: NDArray[Any], border: NDArray[Any]) -> NDArray[np.int64]:
    """(GRID, GRID): twice the sum of edge ranks, less their mean, under the border moved by every
    (down, right).
    """
    ranks = 2 * edge.astype(np.float64) - (edge.size - 1)
    edges, lines = np.fft.rfft2(np.array([ranks, border]))
    return np.rint(np.fft.irfft2(edges * np.conj(lines), s=edge.shape)).astype(np.int64)


def _near(edge: NDArray[Any], border: NDArray[Any]) -> NDArray[Any]:
    """For each of TURNS: the best sum of edge ranks under the turned border, as it lies or moved by
    a cell.
    """
    around = np.empty((GRID + 2, GRID + 2), edge.dtype)
    around[1:-1, 1:-1] = edge
    around[0], around[-1] = around[-2], around[1]
    around[:, 0], around[:, -1] = around[:, -2], around[:, 1]
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


def prototypes(colors: NDArray[np.uint8], small: NDArray[Any]) -> tuple[bytes, bytes, bytes]:
    """Cells by class and color (of 4 x 4 x 4), by class and light (which eighth of the image's
    cells), and by class and place (of 8 x 8), but ignored ones.
    """
    quarters = colors >> 6
    hues = quarters[..., 0] * np.uint8(16) + quarters[..., 1] * np.uint8(4) + quarters[..., 2]
    values, counted = small.astype(np.int64) * 64, small != IGNORE
    hue, light, position = (
        _counts((values + bins)[counted]) for bins in (hues, _eighths(colors), _blocks())
    )
    return hue, light, position


def _eighths(colors: NDArray[np.uint8]) -> NDArray[np.int64]:
    """(GRID, GRID): which eighth of the cells each is in by its light; of equal ones the middle
    tells.
    """
    light = colors.sum(2, dtype=np.int64)
    equal = np.bincount(light.reshape(-1))
    middle = 2 * np.cumsum(equal) - equal
    return np.asarray((middle * 8 // (2 * light.size))[light])


@cache
def _blocks() -> NDArray[np.uint8]:
    """(GRID, GRID): which of 8 x 8 parts of the picture a cell lies in."""
    rows, columns = np.mgrid[:GRID, :GRID] // 8
    return np.asarray(8 * rows + columns, np.uint8)


def _counts(keys: NDArray[np.int64]) -> bytes:
    if keys.size and keys.min() >= 0 and keys.max() < 256 * 64:
        table = np.bincount(keys)
        present = np.flatnonzero(table)
        counts = table[present]
    else:  # values that are not ids
        present, counts = np.unique(keys, return_counts=True)
    return bytes(Cells.of(present, counts).packed)
