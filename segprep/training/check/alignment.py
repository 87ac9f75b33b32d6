"""Do the masks lie where the images have edges? From the data alone: a network can learn a constant
shift, so its scores do not tell.

For every image the strength of its edges, as ranks, is correlated with the borders of its mask
under all circular shifts at once (by Fourier transform), on a common square grid, so that a shift
by a share of the image is one shift for all sizes. Every map of correlations is put in units of its
own spread; the mean over images has its peak at zero where masks lie right.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from segprep.training.data.pairs import ImagePair, nearest
from segprep.types import IGNORE

GRID = 128
OTHERS = 12
Map = NDArray[np.float64]  # (GRID, GRID)
TURNS: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "flipped left to right": lambda m: m[:, ::-1],
    "flipped top to bottom": lambda m: m[::-1],
    "rotated by 180 degrees": lambda m: m[::-1, ::-1],
    "rotated by 90 degrees": np.rot90,
    "rotated by 270 degrees": lambda m: np.rot90(m, 3),
    "transposed": lambda m: m.T,
    "transposed across": lambda m: np.rot90(m, 2).T,
}


@dataclass(frozen=True, slots=True)
class Alignment:
    """How well borders fit edges over *images* images.

    *shift* (down, right), as shares of height and width, would bring the borders to the edges;
    *turn* names the mirroring or turning that fits best. The gains are those of the two over the
    masks in place, in standard errors of the paired difference. The ranks are the share of other
    images' masks that fit an image worse than its own does: in place, moved, turned; 0.5 is chance.
    """

    images: int
    rank: float = 0.5
    shift: tuple[float, float] = (0.0, 0.0)
    gain: float = 0.0
    moved_rank: float = 0.5
    turn: str = ""
    turned_gain: float = 0.0
    turned_rank: float = 0.5


def measure(pairs: Sequence[ImagePair]) -> Alignment:
    """The alignment of *pairs*; those without any border or edge are excluded."""
    maps_of = [(edges(pair), borders(pair.mask)) for pair in pairs]
    maps_of = [(edge, border) for edge, border in maps_of if edge.std() > 0 and border.any()]
    if len(maps_of) < 2:
        return Alignment(len(maps_of))
    spectra, masks = [np.fft.rfft2(edge) for edge, _ in maps_of], [border for _, border in maps_of]
    maps = _maps(spectra, masks)
    own, mean = _around(maps), _smoothed(maps.mean(0))
    down, right = (
        int(border) if border <= GRID // 2 else int(border) - GRID
        for border in np.unravel_index(int(mean.argmax()), mean.shape)
    )
    turned = {
        name: _around(_maps(spectra, [turn(border) for border in masks]))
        for name, turn in TURNS.items()
    }
    turn = max(turned, key=lambda name: float(turned[name].mean()))
    moved_masks = [np.roll(border, (down, right), (0, 1)) for border in masks]
    turned_masks = [TURNS[turn](border) for border in masks]
    return Alignment(
        len(maps_of),
        _rank(spectra, masks),
        (down / GRID, right / GRID),
        _errors(_around(maps, down, right) - own),
        _rank(spectra, moved_masks),
        turn,
        _errors(turned[turn] - own),
        _rank(spectra, turned_masks),
    )


def edges(pair: ImagePair) -> Map:
    """(GRID, GRID) ranks 0..1 of the gradient's strength, the image reduced by area means to the
    grid; zeros for an image without any.
    """
    gray = torch.from_numpy(pair.image.astype(np.float64).mean(2))
    small = functional.interpolate(gray[None, None], (GRID, GRID), mode="area")[0, 0].numpy()
    strength: Map = np.hypot(*np.gradient(small))
    order = np.empty(strength.size)
    order[strength.reshape(-1).argsort(kind="stable")] = np.arange(strength.size)
    return np.asarray(order.reshape(strength.shape) / strength.size * float(strength.max() > 0))


def borders(mask: NDArray[np.uint8]) -> Map:
    """(GRID, GRID): 1 where the class changes to the right or below, 0 elsewhere; changes to or
    from ignored pixels are none.
    """
    small = nearest(mask, GRID, GRID)
    edge_map = np.zeros((GRID, GRID))
    for axis in (0, 1):
        near = small[:-1] if axis == 0 else small[:, :-1]
        far = small[1:] if axis == 0 else small[:, 1:]
        change = (near != far) & (near != IGNORE) & (far != IGNORE)
        edge_map[: change.shape[0], : change.shape[1]] += change
        if axis == 0:
            edge_map[1:] += change
        else:
            edge_map[:, 1:] += change
    return np.minimum(edge_map, 1.0)


def correlation(spectrum: NDArray[np.complex128], border: Map) -> Map:
    """Mean edge rank under *border* moved by every (down, right), minus the mean over all, over its
    spread.
    """
    values = np.fft.irfft2(spectrum * np.conj(np.fft.rfft2(border)), s=border.shape)
    return np.asarray((values - values.mean()) / (values.std() + 1e-12))


def _maps(spectra: Sequence[NDArray[np.complex128]], masks: Sequence[Map]) -> NDArray[np.float64]:
    return np.stack(
        [correlation(spectrum, border) for spectrum, border in zip(spectra, masks, strict=True)]
    )


def _around(maps: NDArray[np.float64], row: int = 0, column: int = 0) -> NDArray[np.float64]:
    """(N,) the largest value of each map within one cell of (row, column)."""
    cells = [
        maps[:, (row + down) % GRID, (column + right) % GRID]
        for down in (-1, 0, 1)
        for right in (-1, 0, 1)
    ]
    return np.asarray(np.max(cells, axis=0))


def _smoothed(values: Map) -> Map:
    return np.asarray(
        np.mean(
            [np.roll(values, (down, right), (0, 1)) for down in (-1, 0, 1) for right in (-1, 0, 1)],
            axis=0,
        )
    )


def _errors(values: NDArray[np.float64]) -> float:
    """The mean in units of its standard error; the spread is at least a tenth, so that equal values
    are not certain.
    """
    return float(values.mean() / (max(float(values.std(ddof=1)), 0.1) / np.sqrt(len(values))))


def _rank(spectra: Sequence[NDArray[np.complex128]], masks: Sequence[Map]) -> float:
    """The share of pairs (image, mask of another, up to OTHERS of them) in which the other mask
    fits worse than the own.
    """
    count, own = len(masks), _around(_maps(spectra, masks))
    rings = [
        _around(_maps(spectra, [*masks[step:], *masks[:step]]))
        for step in range(1, min(OTHERS, count - 1) + 1)
    ]
    return float(np.mean([other < own for other in rings]))
