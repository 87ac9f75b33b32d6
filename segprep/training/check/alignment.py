"""Do the masks lie where the images have edges? From the data alone: a network can learn a constant
shift, so its scores do not tell.

For every image the strength of its edges, as ranks, is correlated with the borders of its mask
under all circular shifts at once (by Fourier transform), on a common square grid, so that a shift
by a share of the image is one shift for all sizes. Every map of correlations is put in units of its
own spread; the mean over images has its peak at zero where masks lie right.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segprep.checking import information, signals
from segprep.checking.signals import TURNS
from segprep.checks._common import fit
from segprep.training.check.placement import in_short
from segprep.training.data.pairs import ImagePair, nearest

GRID = 128
OTHERS, ALIKE = 12, 0.9
Map = NDArray[np.float64]  # (GRID, GRID)


@dataclass(frozen=True, slots=True)
class Alignment:
    """How well borders fit edges over *images* images.

    *shift* (down, right), as shares of height and width, would bring the borders to the edges;
    *turn* names the mirroring or turning that fits best. Gains are those of the two over the masks
    in place, in standard errors of the paired difference: of edges, and of what colors tell of the
    classes. Outlines drawn too wide fit more edges when moved, but fewer colors. Ranks are the
    share of other images' masks that fit an image worse than its own does, by edges in place, moved
    and turned, and by colors in place; 0.5 is chance.
    """

    images: int
    rank: float = 0.5
    told_rank: float = 0.5
    shift: tuple[float, float] = (0.0, 0.0)
    moved_gain: float = 0.0
    moved_told: float = 0.0
    moved_rank: float = 0.5
    turn: str = ""
    turned_gain: float = 0.0
    turned_told: float = 0.0
    turned_rank: float = 0.5


def measure(pairs: Sequence[ImagePair]) -> Alignment:
    """The alignment of *pairs*; those without any border or edge are excluded."""
    colors = [in_short(pair.image, GRID) for pair in pairs]
    edges = [signals.edges(color) / np.float32(GRID * GRID) for color in colors]
    small = [nearest(pair.mask, GRID, GRID) for pair in pairs]
    borders: list[Map] = [signals.borders(mask).astype(np.float32) for mask in small]
    useful = [n for n, edge in enumerate(edges) if edge.any() and borders[n].any()]
    if len(useful) < 2:
        return Alignment(len(useful))
    colors, small = [colors[n] for n in useful], [small[n] for n in useful]
    spectra, masks = [np.fft.rfft2(edges[n]) for n in useful], [borders[n] for n in useful]
    maps, told = _maps(spectra, masks), _told(colors, small)
    own, mean = _around(maps), _smoothed(maps.mean(0))
    half, places = GRID // 2, np.unravel_index(int(mean.argmax()), mean.shape)
    down, right = ((int(cell) + half - 1) % GRID - half + 1 for cell in places)

    def gains(maps: NDArray[np.float64], masks: list[Any], *shift: int) -> tuple[float, float]:
        more = (_told(colors, masks) - told) / np.sqrt(np.maximum(told, fit.LEAST_TOLD))
        return _errors(_around(maps, *shift) - own), _errors(more)

    moved = gains(maps, [np.roll(mask, (down, right), (0, 1)) for mask in small], down, right)
    turned = {
        name: gains(_maps(spectra, list(map(turn, masks))), list(map(turn, small)))
        for name, turn in TURNS.items()
    }
    turn = max(turned, key=lambda name: sum(turned[name]))
    return Alignment(
        len(useful),
        _rank(spectra, masks),
        _share([_told(colors, others) < told for others in _others(small)], masks),
        (down / GRID, right / GRID),
        *moved,
        _rank(spectra, [np.roll(border, (down, right), (0, 1)) for border in masks]),
        turn,
        *turned[turn],
        _rank(spectra, [TURNS[turn](border) for border in masks]),
    )


def _told(
    colors: Sequence[NDArray[np.uint8]], masks: Sequence[NDArray[np.uint8]]
) -> NDArray[np.float64]:
    """(N,) what colors tell of the masks, in nats, by every second cell."""
    return np.array(
        [
            information.told(color[::2, ::2], mask[::2, ::2])
            for color, mask in zip(colors, masks, strict=True)
        ]
    )


def _others(masks: Sequence[Any]) -> Iterator[list[Any]]:
    """The masks of other images, up to OTHERS of them for each."""
    for step in range(1, min(OTHERS, len(masks) - 1) + 1):
        yield [*masks[step:], *masks[:step]]


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
    """The share of pairs (image, mask of another) in which the other mask fits worse."""
    own = _around(_maps(spectra, masks))
    return _share([_around(_maps(spectra, others)) < own for others in _others(masks)], masks)


def _share(worse: Sequence[NDArray[np.bool_]], borders: Sequence[Map]) -> float:
    """The share of True in *worse* (OTHERS, N), but where the borders of the two masks are the same
    in all but a tenth of their cells: such pairs tell nothing. 1.0 where most are such.
    """
    own = np.stack(borders) > 0
    apart = np.stack(
        [
            (own & other).sum((1, 2)) < ALIKE * (own | other).sum((1, 2))
            for other in (np.stack(others) > 0 for others in _others(borders))
        ]
    )
    return float(np.stack(worse)[apart].mean()) if apart.mean() > 0.5 else 1.0
