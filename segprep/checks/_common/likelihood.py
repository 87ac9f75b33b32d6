"""Do the colors and places of an image's classes speak for its labels, or for two of them swapped?

Color and place given the class are counted over all other images of the dataset (leave one out);
the labels of one image are then more or less likely than the same labels with two classes swapped.
"""

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, islice
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from segprep.checks._common.fit import LEAST, deviations, median
from segprep.checks._common.survey import Cells, Signals, Survey

BINS = 64
RED, GREEN, BLUE = np.unravel_index(np.arange(BINS), (4, 4, 4))  # of a bin of colors, two bits each
LEAST_CELLS, LEAST_EACH = 40, 0.2  # of a class, and nats per cell, for a swap among three or more
RIVALS = 0.1  # images that gain by a swap of red and blue, to one that would lose as much
LEAST_DEVIATION = 0.2  # nats per cell
ODD = 2.5  # deviations by which an image's colors are less likely than usual, swapped or not
USUAL = 0.8  # of the images: where so many agree how two classes differ in color, that counts
BLOCK = 256  # images that are judged at once
MOST = 12  # classes; with more, pairs would be many and counts thin


@dataclass(frozen=True, slots=True)
class Swap:
    """Two classes whose swap explains an image better, by *gain* nats per pixel; *score* in
    deviations.
    """

    classes: tuple[int, int]
    gain: float
    score: float


@lru_cache(maxsize=2)
def swaps(survey: Survey) -> Mapping[str, Swap]:
    """Stem -> the likeliest swap, where it stands out."""
    numbers, ids = _measured(survey)
    if len(numbers) < LEAST or not 2 <= len(ids) <= MOST:
        return {}
    parts = attrgetter("hue"), attrgetter("position")
    totals = [sum(block.sum(0) for block in _tables(survey, part, ids)) for part in parts]
    usual, gains = np.zeros((2, len(numbers)))
    best = list[tuple[int, int]]()
    for blocks in zip(*(_tables(survey, part, ids) for part in parts), strict=True):
        scores = sum(
            own @ _logs(total - own).swapaxes(1, 2)
            for total, own in zip(totals, blocks, strict=True)
        )  # of each image [c, d]: the pixels of class c taken for class d
        for table, pixels in zip(scores, blocks[0].sum(2), strict=True):
            n = len(best)
            usual[n], gains[n], swap = _gain(table, pixels)
            best.append(swap)
    if np.sort(usual)[len(usual) // 2] > 0:
        return {}  # of most images, too, colors tell no classes apart, as at night
    scores = deviations(usual / 0.2)
    likely = {n: best[n] for n in np.flatnonzero((gains > 0.25) & (scores > 4)).tolist()}
    return {
        survey.pairs[numbers[n]].stem: Swap(
            (ids[best[n][0]], ids[best[n][1]]), float(gains[n]), float(scores[n])
        )
        for n in likely.keys() - _as_others(survey, ids, likely)
    }


def _as_others(
    survey: Survey, ids: Sequence[int], likely: Mapping[int, tuple[int, int]]
) -> set[int]:
    """Those images, by number, whose two *likely* swapped classes differ in color as in nearly all
    others: one of the two is darker, say, and the whole image is redder than most. A swap would
    turn the difference round.
    """
    usual = set[int]()
    for swap in set(likely.values()):
        tables = _tables(survey, attrgetter("hue"), ids)
        differences = np.concatenate([_difference(block, *swap) for block in tables])
        alike = differences @ differences.sum(0) > 0
        if alike.sum() >= USUAL * differences.any(1).sum():
            usual.update(n for n, own in likely.items() if own == swap and alike[n])
    return usual


def _difference(tables: NDArray[np.float64], first: int, other: int) -> NDArray[np.float64]:
    """(images, 3) by how much red, green and blue of the class *other* exceed those of the *first*
    on average; 0 where an image lacks one of them.
    """
    levels = np.stack([RED, GREEN, BLUE], axis=1).astype(np.float64)
    counts = tables[:, (first, other)].sum(2, keepdims=True)
    means = tables[:, (first, other)] @ levels / np.maximum(counts, 1)
    return np.asarray((means[:, 1] - means[:, 0]) * counts.all(1))


def _measured(survey: Survey) -> tuple[Sequence[int], list[int]]:
    """The numbers of the samples that have signals, and the classes that occur."""
    numbers, ids = array("I"), set[int]()
    for number, pair in enumerate(survey.pairs):
        if pair.complete and (signals := pair.signals):
            numbers.append(number)
            ids.update((signals.hue.arrays()[0] // BINS).tolist())
    return numbers, sorted(ids)


def _tables(
    survey: Survey, part: Callable[[Signals], Cells], ids: Sequence[int]
) -> Iterator[NDArray[np.float64]]:
    """(images, classes, BINS) counts of this *part* of the signals, in blocks of images."""
    cells = (part(signals) for pair in survey.complete if (signals := pair.signals))
    while arrays := [each.arrays() for each in islice(cells, BLOCK)]:
        keys, counts = (np.concatenate(parts) for parts in zip(*arrays, strict=True))
        images = np.repeat(np.arange(len(arrays)), [len(present) for present, _ in arrays])
        tables = np.zeros((len(arrays), len(ids), BINS))
        tables[images, np.searchsorted(ids, keys // BINS), keys % BINS] = counts
        yield tables


def _logs(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """log P(bin | class), one pseudo count spread over the bins."""
    smooth = counts + 4.0 / BINS
    return np.asarray(np.log(smooth / smooth.sum(-1, keepdims=True)))


def _gain(
    scores: NDArray[np.float64], pixels: NDArray[np.float64]
) -> tuple[float, float, tuple[int, int]]:
    """The largest gain of a swap of two classes, per pixel of the two; the largest of a swap that
    chance does not explain, and that swap. *scores* [c, d] are those of the *pixels* of class c
    taken for class d.
    """
    present = np.flatnonzero(pixels).tolist()
    largest, sure = -np.inf, (-np.inf, (0, 0))
    for value, other in combinations(present, 2):
        first = float(scores[value, other] - scores[value, value])
        second = float(scores[other, value] - scores[other, other])
        gain = (first + second) / float(pixels[value] + pixels[other])
        largest = max(largest, gain)
        each = min(first / pixels[value], second / pixels[other])
        small = min(pixels[value], pixels[other]) < LEAST_CELLS
        # of many pairs, one is likelier by chance, mostly where a class is small
        if len(present) == 2 or (not small and each >= LEAST_EACH):
            sure = max(sure, (gain, (value, other)))
    return (largest if present[1:] else 0.0), sure[0], sure[1]


@dataclass(frozen=True, slots=True)
class Channels:
    """An image whose colors fit its classes better with red and blue swapped: *gain* in nats per
    pixel, *score* in deviations.
    """

    gain: float
    score: float


@lru_cache(maxsize=2)
def swapped_channels(survey: Survey) -> Mapping[str, Channels]:
    """Stem -> how much better swapped colors fit, where that stands out."""
    numbers, ids = _measured(survey)
    if len(numbers) < LEAST or not 1 <= len(ids) <= MOST:
        return {}
    hue = attrgetter("hue")
    total = sum(block.sum(0) for block in _tables(survey, hue, ids))
    mirrored = BLUE * 16 + GREEN * 4 + RED
    likelihoods = []
    for own in _tables(survey, hue, ids):
        logs, cells = _logs(total - own), np.maximum(own.sum((1, 2)), 1)
        fits = [(part * logs).sum((1, 2)) / cells for part in (own, own[..., mirrored])]
        likelihoods.append(np.stack(fits))
    stored, swapped = np.concatenate(likelihoods, axis=1)  # nats per cell
    gains = swapped - stored
    scores = deviations(gains / 0.2)
    middle = median(stored)
    spread = max(1.4826 * median(np.abs(stored - middle)), LEAST_DEVIATION)
    like_others = swapped > middle - ODD * spread  # colors that no other image has say nothing
    return {
        survey.pairs[numbers[n]].stem: Channels(float(gains[n]), float(scores[n]))
        for n in np.flatnonzero((gains > 0.3) & (scores > 2.5) & like_others).tolist()
        if _telling(np.delete(gains, n), float(gains[n]))
    }


def _telling(others: NDArray[np.float64], gain: float) -> bool:
    """Whether few of the *others* have so much *gain* beside those that would have it if they were
    swapped, which turns the sign of theirs. On gray ground neither order of the channels fits.
    """
    rivals = np.count_nonzero(others >= gain)
    losers = np.count_nonzero(-others >= gain)
    return bool(losers and rivals <= RIVALS * losers)
