"""Do the masks lie where the images have edges? From the data alone: a network can learn a constant
shift, so its scores do not tell.

For every image the strength of its edges, as ranks, is correlated with the borders of its mask
under all circular shifts at once (by Fourier transform), on a common square grid, so that a shift
by a share of the image is one shift for all sizes. Every map of correlations is put in units of its
own spread; the mean over images has its peak at zero where masks lie right.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segprep.checking import signals
from segprep.checking.signals import TURNS
from segprep.training.check.placement import in_short
from segprep.training.check.verdict import FEWEST
from segprep.training.data.pairs import ImagePair, nearest
from segprep.types import IGNORE

GRID = 128
OTHERS = 12
Map = NDArray[np.float64]  # (GRID, GRID)


@dataclass(frozen=True, slots=True)
class Alignment:
    """How well borders fit edges over *images* images.

    *shift* (down, right), as shares of height and width, would bring the borders to the edges;
    *turn* names the mirroring or turning that fits best. The gains are those of the two over the
    masks in place, in standard errors of the paired difference; *both_gain* is the lesser gain of
    two halves of the borders moved alone, those where a class begins and those where it ends:
    outlines drawn too wide gain on one side what they lose on the other. The ranks are the share of
    other images' masks that fit an image worse than its own does: in place, moved, turned; 0.5 is
    chance.
    """

    images: int
    rank: float = 0.5
    shift: tuple[float, float] = (0.0, 0.0)
    gain: float = 0.0
    moved_rank: float = 0.5
    both_gain: float = np.inf
    turn: str = ""
    turned_gain: float = 0.0
    turned_rank: float = 0.5


def measure(pairs: Sequence[ImagePair]) -> Alignment:
    """The alignment of *pairs*; those without any border or edge are excluded."""
    ranks = [signals.edges(in_short(pair.image, GRID)) for pair in pairs]
    edges = [rank / np.float32(GRID * GRID) for rank in ranks]
    small = [nearest(pair.mask, GRID, GRID) for pair in pairs]
    borders: list[Map] = [signals.borders(mask).astype(np.float32) for mask in small]
    useful = [n for n, edge in enumerate(edges) if edge.any() and borders[n].any()]
    if len(useful) < 2:
        return Alignment(len(useful))
    spectra, masks = [np.fft.rfft2(edges[n]) for n in useful], [borders[n] for n in useful]
    maps = _maps(spectra, masks)
    own, mean = _around(maps), _smoothed(maps.mean(0))
    half, places = GRID // 2, np.unravel_index(int(mean.argmax()), mean.shape)
    down, right = ((int(cell) + half - 1) % GRID - half + 1 for cell in places)
    turned = {
        name: _around(_maps(spectra, [turn(border) for border in masks]))
        for name, turn in TURNS.items()
    }
    turn = max(turned, key=lambda name: float(turned[name].mean()))
    moved_masks = [np.roll(border, (down, right), (0, 1)) for border in masks]
    turned_masks = [TURNS[turn](border) for border in masks]
    return Alignment(
        len(useful),
        _rank(spectra, masks),
        (down / GRID, right / GRID),
        _errors(_around(maps, down, right) - own),
        _rank(spectra, moved_masks),
        _both_gain(spectra, [small[n] for n in useful], down, right),
        turn,
        _errors(turned[turn] - own),
        _rank(spectra, turned_masks),
    )


def _both_gain(
    spectra: Sequence[NDArray[np.complex128]], masks: Sequence[NDArray[Any]], down: int, right: int
) -> float:
    """The lesser gain of the borders at which ids rise and of those at which they fall along the
    way (*down*, *right*); infinite where hardly any image has both.
    """
    halves = [[_rising(mask, sign * down, sign * right) for mask in masks] for sign in (1, -1)]
    gains = []
    for half in halves:
        chosen = [n for n, border in enumerate(half) if border.sum() >= signals.LEAST]
        if len(chosen) >= FEWEST:
            maps = _maps([spectra[n] for n in chosen], [half[n] for n in chosen])
            gains.append(_errors(_around(maps, down, right) - _around(maps)))
    return min(gains, default=np.inf)


def _rising(mask: NDArray[Any], down: int, right: int) -> Map:
    """(GRID, GRID): 1 on both sides of a border at which ids rise along the signs of *down* and
    *right*; not to or from ignored pixels.
    """
    edges = np.zeros(mask.shape, np.bool_)
    for axis, way in enumerate((down, right)):
        ids = np.moveaxis(mask.astype(np.int16), axis, 0)
        rises = way * (ids[1:] - ids[:-1]) > 0
        rises &= (ids[1:] != IGNORE) & (ids[:-1] != IGNORE)
        view = np.moveaxis(edges, axis, 0)
        view[1:] |= rises
        view[:-1] |= rises
    return edges.astype(np.float32)


def _maps(spectra: Sequence[NDArray[np.complex128]], masks: Sequence[Map]) -> NDArray[np.float64]:
    """(N, GRID, GRID): the mean edge rank under each border moved by every (down, right), less the
    mean over all, over its spread.
    """
    lines = np.conj(np.fft.rfft2(np.stack(masks)))
    values = np.fft.irfft2(np.stack(spectra) * lines, s=(GRID, GRID))
    values -= values.mean((1, 2), keepdims=True)
    return np.asarray(values / (values.std((1, 2), keepdims=True) + 1e-12))


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
