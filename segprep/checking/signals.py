"""How well the borders of a mask lie on the edges of its image, and which colors and places its
classes have: all on a coarse grid, from the data alone.

The strength of the image's edges, as ranks, is correlated with the borders of the mask under all
circular shifts at once (by Fourier transform). Each map of correlations is put in units of its own
spread, so that images of all kinds compare.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segprep.checks._common.survey import Signals
from segprep.types import IGNORE

GRID = 64
LEAST = 12  # border cells without which a mask says nothing
FAR = 10  # cells: about a sixth of the picture
_STEP = (-1, 0, 1)
Turn = Callable[[NDArray[Any]], NDArray[Any]]
TURNS: dict[str, Turn] = {
    "mirrored left to right": lambda m: m[:, ::-1],
    "mirrored top to bottom": lambda m: m[::-1],
    "rotated by 180 degrees": lambda m: m[::-1, ::-1],
    "rotated by 90 degrees": np.rot90,
    "rotated by 270 degrees": lambda m: np.rot90(m, 3),
    "transposed": lambda m: m.T,
    "transposed across": lambda m: np.rot90(m, 2).T,
}


def measure(colors: NDArray[np.uint8], mask: NDArray[Any]) -> Signals:
    """The signals of an image in short, (GRID, GRID, 3), and its mask (H, W), both upright."""
    small = squeezed(mask)
    hue, place = prototypes(colors, small)
    border, edge = borders(small), edges(colors)
    count = int(border.sum())
    if count < LEAST or not edge.any():
        return Signals(0.0, 0.0, "", 0.0, (0.0, 0.0), 0, hue, place)
    own = correlations(edge, border)
    mean, spread = float(own.mean()), float(own.std()) + 1e-12
    own = (own - mean) / spread
    near = own.take([-1, 0, 1], axis=0).take([-1, 0, 1], axis=1).max()
    turned = (_near(edge, border) - mean) / spread
    best = int(turned.argmax())
    down, right, moved = _shift(own)
    return Signals(
        float(near),
        float(turned[best]),
        list(TURNS)[best],
        moved,
        (down / GRID, right / GRID),
        count,
        hue,
        place,
    )


def _shift(own: NDArray[Any]) -> tuple[int, int, float]:
    """The best shift (down, right) in cells, at most FAR, and its fit."""
    centered = np.roll(own, (FAR, FAR), (0, 1))[: 2 * FAR + 1, : 2 * FAR + 1]
    row, column = np.unravel_index(int(centered.argmax()), centered.shape)
    return int(row) - FAR, int(column) - FAR, float(centered[row, column])


def squeezed(mask: NDArray[Any]) -> NDArray[Any]:
    """The mask at the centers of GRID x GRID cells."""
    rows = (np.arange(GRID) * 2 + 1) * mask.shape[0] // (2 * GRID)
    columns = (np.arange(GRID) * 2 + 1) * mask.shape[1] // (2 * GRID)
    small: NDArray[Any] = mask[rows[:, None], columns[None, :]]
    return small


def edges(colors: NDArray[np.uint8]) -> NDArray[Any]:
    """(GRID, GRID) ranks 0..1 of the gradient's strength; zeros for a picture without any."""
    gray = colors.astype(np.float32).mean(2)
    strength = np.hypot(*np.gradient(gray))
    order = np.empty(strength.size, np.float32)
    order[strength.reshape(-1).argsort(kind="stable")] = np.arange(strength.size, dtype=np.float32)
    ranks: NDArray[Any] = order.reshape(strength.shape) / np.float32(strength.size)
    return ranks * np.float32(strength.max() > 0)


def borders(small: NDArray[Any]) -> NDArray[Any]:
    """(GRID, GRID): 1 where the class changes to a neighbor; not to or from ignored pixels."""
    valid = small != IGNORE
    down = (small[1:] != small[:-1]) & valid[1:] & valid[:-1]
    right = (small[:, 1:] != small[:, :-1]) & valid[:, 1:] & valid[:, :-1]
    found = np.zeros(small.shape, np.bool_)
    found[1:] |= down
    found[:-1] |= down
    found[:, 1:] |= right
    found[:, :-1] |= right
    return found.astype(np.float32)


def correlations(edge: NDArray[Any], border: NDArray[Any]) -> NDArray[Any]:
    """(GRID, GRID): the sum of edge ranks under the border moved by every (down, right)."""
    spectrum = np.fft.rfft2(edge) * np.conj(np.fft.rfft2(border))
    return np.asarray(np.fft.irfft2(spectrum, s=(GRID, GRID)))


def _near(edge: NDArray[Any], border: NDArray[Any]) -> NDArray[Any]:
    """For each of TURNS: the best sum of edge ranks under the turned border, as it lies or moved by
    a cell. Its mean over all shifts is that of the border as it is.
    """
    around = np.stack(
        [np.roll(edge, (down, right), (0, 1)).reshape(-1) for down in _STEP for right in _STEP]
    )
    turned = np.stack([turn(border).reshape(-1) for turn in TURNS.values()], axis=1)
    return np.asarray((around @ turned).max(0))


def prototypes(
    colors: NDArray[np.uint8], small: NDArray[Any]
) -> tuple[dict[tuple[int, int], int], dict[tuple[int, int], int]]:
    """Cells by (class, color of 4 x 4 x 4) and by (class, place of 8 x 8), but ignored ones."""
    bins = colors.astype(np.int64) // 64 @ np.array([16, 4, 1])
    rows, columns = np.mgrid[:GRID, :GRID] // 8
    counted = small != IGNORE
    values = small[counted].astype(np.int64) * 64
    return _counts(values + bins[counted]), _counts(values + (8 * rows + columns)[counted])


def _counts(keys: NDArray[np.int64]) -> dict[tuple[int, int], int]:
    found, counts = np.unique(keys, return_counts=True)
    return {
        (key // 64, key % 64): count
        for key, count in zip(found.tolist(), counts.tolist(), strict=True)
    }
