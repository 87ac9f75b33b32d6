"""A few images and masks again: does each mask fit its own image better than those of others do?

By the edges of the image, and by what its colors tell of the classes. Of masks that were mixed up
among their images, half of the others fit worse; even thin and soft objects fit their own better.
"""

import random
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from math import sqrt
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from segprep.checking import information, signals
from segprep.checking.luminance import SIDE
from segprep.checking.measure import upright_mask
from segprep.checks._common import fit
from segprep.checks._common.survey import Pair
from segprep.errors import SourceError
from segprep.files import read_below
from segprep.imaging import inspection

LOOKED = 200  # samples whose fits say whether images have to be read
DOUBTFUL = 4.0  # the median of their fits, above which no set of mixed-up masks was seen
FIRST, SAMPLES = 12, 32  # images that are read
OTHERS = 12  # masks that each image's own is compared with
SURE = 0.65  # of the first images: then the others are not read
ALIKE = 0.9  # of the border cells of two masks: then neither belongs more to an image


class Photo(NamedTuple):
    """An image in short: *edges* are the ranks of the edges' strength, less their mean, moved by
    each cell around.
    """

    colors: NDArray[np.uint8]
    edges: NDArray[np.float64]


class Drawn(NamedTuple):
    """A mask in short, and its border cells."""

    mask: NDArray[np.uint8]
    border: NDArray[np.bool_]


def ranked(pairs: Sequence[Pair], roots: tuple[Path, ...]) -> float | None:
    """The share of masks of other images that fit an image worse than its own does, the mean by
    edges and by colors; None where most masks fit well, or too few have borders.
    """
    numbers = random.Random(0).sample(range(len(pairs)), min(len(pairs), LOOKED))
    chosen = [pair for number in numbers if _measured(pair := pairs[number])]
    own = [pair.signals.own for pair in chosen if pair.signals]
    if len(own) < fit.LEAST or fit.median(own) > DOUBTFUL:
        return None
    read = _read(chosen, roots)
    first = list(islice(read, FIRST))
    if len(first) < fit.LEAST:
        return None
    share = _share(first)
    return share if share > SURE else _share([*first, *islice(read, SAMPLES - FIRST)])


def _measured(pair: Pair) -> bool:
    return bool(pair.complete and pair.signals and pair.signals.borders)


def _read(pairs: Sequence[Pair], roots: tuple[Path, ...]) -> Iterator[tuple[Photo, Drawn]]:
    for pair in pairs:
        with suppress(SourceError):
            if (mask := drawn(pair, roots)) and (image := photo(pair, roots)):
                yield image, mask


def photo(pair: Pair, roots: tuple[Path, ...]) -> Photo | None:
    """The image of *pair* in short. Raises SourceError."""
    if not pair.image:
        return None
    data = read_below(pair.image, roots)
    return shortened(inspection.photograph(data, pair.image, SIDE, full=frozenset()).colors)


def shortened(colors: NDArray[np.uint8]) -> Photo:
    """An image of (SIDE, SIDE, 3)."""
    edges = signals.edges(colors).astype(np.float64)
    edges -= edges.mean()
    moved = [np.roll(edges, (down, right), (0, 1)) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    return Photo(colors, np.reshape(moved, (9, -1)))


def drawn(pair: Pair, roots: tuple[Path, ...]) -> Drawn | None:
    """The mask of *pair* in short, if it goes with its image. Raises SourceError."""
    if not (pair.mask and pair.photo):
        return None
    stored = inspection.mask(read_below(pair.mask, roots), pair.mask).samples
    mask = upright_mask(stored, pair.photo)
    if mask is None or mask.ndim != 2 or mask.dtype != np.uint8:
        return None
    small = signals.squeezed(mask)
    return Drawn(small, signals.borders(small).reshape(-1))


def _share(images: Sequence[tuple[Photo, Drawn]]) -> float:
    """The mean of the shares by edges and by colors; 1.0 where all masks are alike."""
    by_edges, by_colors = list[bool](), list[bool]()
    for number, (image, mask) in enumerate(images):
        own, told = fits(image, mask)
        for step in range(1, min(OTHERS, len(images) - 1) + 1):
            other = images[(number + step) % len(images)][1]
            both = np.count_nonzero(mask.border & other.border)
            if both < ALIKE * np.count_nonzero(mask.border | other.border):
                its_fit, its_told = fits(image, other)
                by_edges.append(its_fit < own)
                by_colors.append(its_told < told)
    return float(np.mean(by_edges) + np.mean(by_colors)) / 2 if by_edges else 1.0


def fits(image: Photo, mask: Drawn) -> tuple[float, float]:
    """How well *mask* fits *image*, by edges and by colors."""
    strongest = float(np.max(image.edges @ mask.border))
    fitting = strongest / sqrt(max(int(mask.border.sum()), 1))
    return fitting, information.told(image.colors, mask.mask)
