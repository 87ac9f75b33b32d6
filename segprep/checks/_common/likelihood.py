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
from segprep.checks._common.survey import Cells, Signals, Survey, joined

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
    totals = np.sum([blocks.sum(1) for blocks in _tables(survey, ids, *parts)], axis=0)
    usual, gains = np.zeros((2, len(numbers)))
    best = list[tuple[int, int]]()
    for blocks in _tables(survey, ids, *parts):
        scores = sum(
            own @ _logs(total - own).swapaxes(1, 2)
            for total, own in zip(totals, blocks, strict=True)
        )  # of each image [c, d]: the pixels of class c taken for class d
        rows = slice(len(best), len(best) + len(blocks[0]))
        usual[rows], gains[rows], likeliest = _gains(scores, blocks[0].sum(2))
        best += likeliest
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
        tables = _tables(survey, ids, attrgetter("hue"))
        differences = np.concatenate([_difference(block, *swap) for (block,) in tables])
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


@lru_cache(maxsize=2)
def _measured(survey: Survey) -> tuple[Sequence[int], list[int]]:
    """The numbers of the samples that have signals, and the classes that occur."""
    numbers, ids = array("I"), set[int]()

    def hues() -> Iterator[Cells]:
        for number, pair in enumerate(survey.pairs):
            if pair.complete and (signals := pair.signals):
                numbers.append(number)
                yield signals.hue

    cells = hues()
    while block := list(islice(cells, BLOCK)):
        values = np.sort(joined(block)[0] // BINS)
        ids.update(values[np.diff(values, prepend=values[:1] - 1) > 0].tolist())
    return numbers, sorted(ids)


def _tables(
    survey: Survey, ids: Sequence[int], *parts: Callable[[Signals], Cells]
) -> Iterator[NDArray[np.float64]]:
    """(parts, images, classes, BINS): counts of these *parts* of the signals, in blocks of
    images.
    """
    every = (signals for pair in survey.complete if (signals := pair.signals))
    while block := list(islice(every, BLOCK)):
        tables = np.zeros((len(parts), len(block), len(ids), BINS))
        for table, part in zip(tables, parts, strict=True):
            keys, counts, sizes = joined([part(each) for each in block])
            images = np.repeat(np.arange(len(block)), sizes)
            table[images, np.searchsorted(ids, keys // BINS), keys % BINS] = counts
        yield tables


def _logs(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """log P(bin | class), one pseudo count spread over the bins."""
    smooth = counts + 4.0 / BINS
    return np.asarray(np.log(smooth / smooth.sum(-1, keepdims=True)))


def _gains(
    scores: NDArray[np.float64], pixels: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], list[tuple[int, int]]]:
    """Of each image: the largest gain of a swap of two classes, per pixel of the two; the largest
    of a swap that chance does not explain, and that swap. *scores* (images, c, d) are those of the
    *pixels* (images, c) of class c taken for class d.
    """
    count, classes = pixels.shape
    largest, sure = np.full((2, count), -np.inf)
    swaps = np.zeros((count, 2), np.intp)
    present = np.count_nonzero(pixels, axis=1)
    for value, other in combinations(range(classes), 2):
        (n,) = np.nonzero((pixels[:, value] > 0) & (pixels[:, other] > 0))
        own, others = pixels[n, value], pixels[n, other]
        first = scores[n, value, other] - scores[n, value, value]
        second = scores[n, other, value] - scores[n, other, other]
        gain = (first + second) / (own + others)
        largest[n] = np.maximum(largest[n], gain)
        # of many pairs, one is likelier by chance, mostly where a class is small
        many = np.minimum(own, others) >= LEAST_CELLS
        clear = many & (np.minimum(first / own, second / others) >= LEAST_EACH)
        better = (gain >= sure[n]) & (clear | (present[n] == 2))
        sure[n[better]], swaps[n[better]] = gain[better], (value, other)
    largest[present < 2] = 0.0
    return largest, sure, [(value, other) for value, other in swaps.tolist()]


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
    total = np.sum([block.sum(0) for (block,) in _tables(survey, ids, hue)], axis=0)
    mirrored = BLUE * 16 + GREEN * 4 + RED
    likelihoods = []
    for (own,) in _tables(survey, ids, hue):
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
