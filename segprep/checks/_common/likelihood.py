"""Do the colors and places of an image's classes speak for its labels, or for two of them swapped?

Color, light and place given the class are counted over all other images of the dataset (leave one
out); the labels of one image are then more or less likely than the same labels with two classes
swapped. Where many images are swapped, what is counted is blurred. So those that look swapped are
taken the other way round, and the others are counted again, until nothing changes.
"""

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import combinations, islice
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segprep.checks._common.fit import LEAST, deviations, median
from segprep.checks._common.survey import Cells, Signals, Survey, joined

BINS = 64
RED, GREEN, BLUE = np.unravel_index(np.arange(BINS), (4, 4, 4))  # of a bin of colors, two bits each
LEAST_CELLS, LEAST_EACH = 40, 0.2  # of a class, and nats per cell, for a swap among three or more
CHANNELS = 2.75  # deviations by which red and blue swapped fit better than usual
RIVALS = 0.1  # images that gain by a swap of red and blue, to one that would lose as much
LEAST_DEVIATION = 0.2  # nats per cell
ODD = 2.5  # deviations by which an image's colors are less likely than usual, swapped or not
# of a swap: nats per cell, and deviations, each of so many nats at least
GAIN, FAR, SPREAD = 0.25, 4.0, 0.15
ROUNDS = 6  # of counting, at most
EVEN = 100  # cells that each class of each image counts for in these rounds, however large it is
LEAST_OTHERS = 3  # images that have both classes as they should be
USUAL = 0.8  # of the images: where so many agree how two classes differ in color, that counts
BLOCK = 256  # images that are judged at once
MOST = 12  # classes; with more, pairs would be many and counts thin
KEPT = 4096  # images whose counts are kept: 384 bytes a class


@dataclass(frozen=True, slots=True)
class Swap:
    """Two classes whose swap explains an image better, by *gain* nats per pixel; *score* in
    deviations.
    """

    classes: tuple[int, int]
    gain: float
    score: float


Turned = Mapping[int, tuple[int, int]]  # images by number, and the two classes that are swapped
HUE, LIGHT, POSITION = (attrgetter(name) for name in ("hue", "light", "position"))


@lru_cache(maxsize=2)
def swaps(survey: Survey) -> Mapping[str, Swap]:
    """Stem -> the likeliest swap, where it stands out."""
    numbers, ids = measured(survey)
    if len(numbers) < LEAST or not 2 <= len(ids) <= MOST:
        return {}
    turned = dict[int, tuple[int, int]]()
    for _ in range(ROUNDS):
        usual, gains, best = _judged(survey, ids, turned, even=True)
        before, turned = turned, {n: best[n] for n in np.flatnonzero(gains > GAIN).tolist()}
        if turned == before or median(usual) > 0:
            break
    if not turned or 2 * len(turned) >= len(numbers):
        return {}  # as they should be, or nobody knows which way round that is
    usual, gains, best = _judged(survey, ids, turned)
    usual[list(turned)] = -np.abs(gains[list(turned)])  # the other way round they are as they are
    middle = median(usual)
    if middle > 0:
        return {}  # of most images, too, colors tell no classes apart, as at night
    spread = max(1.4826 * median(np.abs(usual - middle)), SPREAD)
    scores = (gains - middle) / spread
    sure = set(np.flatnonzero((gains > GAIN) & (scores > FAR)).tolist())
    sure -= _as_others(survey, ids, turned)
    return {
        survey.pairs[numbers[n]].stem: Swap(
            (ids[low], ids[high]), float(gains[n]), float(scores[n])
        )
        for n, (low, high) in turned.items()
        if n in sure and best[n] == (low, high)
    }


def _judged(
    survey: Survey, ids: Sequence[int], turned: Turned, *, even: bool = False
) -> tuple[NDArray[np.float64], NDArray[np.float64], list[tuple[int, int]]]:
    """The gains of all images, against the others with those *turned* the other way round; *even*:
    small objects tell as much of their class as large ones, and as ground that is taken for them.
    """
    models = partial(_models, survey, ids, turned, even)
    totals = np.sum([model.sum(1) for _, model in models()], axis=0)
    usual, gains, best = list[NDArray[np.float64]](), list[NDArray[np.float64]](), list[Any]()
    for blocks, model in models():
        scores = (blocks @ log_shares(totals[:, None] - model).swapaxes(-1, -2)).sum(0)
        # of each image [c, d]: the pixels of class c taken for class d
        largest, sure, likeliest = _gains(scores, blocks[0].sum(2))
        usual.append(largest)
        gains.append(sure)
        best += likeliest
    return np.concatenate(usual), np.concatenate(gains), best


def _models(
    survey: Survey, ids: Sequence[int], turned: Turned, even: bool
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """The counts of :func:`color_tables` for all parts, and what they add to other images'."""
    first = 0
    for blocks in color_tables(survey, ids, HUE, LIGHT, POSITION):
        model = blocks.copy()
        for n in range(first, first + blocks.shape[1]):
            if n in turned:
                low, high = turned[n]
                model[:, n - first, [low, high]] = model[:, n - first, [high, low]]
        first += blocks.shape[1]
        if even:
            model *= EVEN / np.maximum(model.sum(-1, keepdims=True), 1)
        yield blocks, model


def _as_others(survey: Survey, ids: Sequence[int], turned: Turned) -> set[int]:
    """Those images, by number, of which nothing is known: too few others have both classes the
    other way round than the *turned* ones; or the two differ in color as in nearly all others: one
    of the two is darker, say, and the whole image is redder than most. A swap would turn the
    difference round.
    """
    usual = set[int]()
    for swap in set(turned.values()):
        tables = [table[:, swap] for (table,) in color_tables(survey, ids, HUE)]
        both = sum(int(table.any(2).all(1).sum()) for table in tables)
        own = [n for n, pair in turned.items() if pair == swap]
        differences = np.concatenate([_difference(table) for table in tables])
        here = differences[own]
        differences[own] *= -1
        leading = differences.sum(0)
        along = np.count_nonzero(differences @ leading > 0)
        if both - len(own) < max(LEAST_OTHERS, len(own) + 1):
            usual.update(own)
        elif along >= USUAL * np.count_nonzero(differences.any(1)):
            usual.update(n for n, alike in zip(own, here @ leading > 0, strict=True) if alike)
    return usual


def _difference(tables: NDArray[np.float64]) -> NDArray[np.float64]:
    """(images, 3) by how much red, green and blue of the second class exceed those of the first on
    average, of *tables* (images, 2, BINS); 0 where an image lacks one of them.
    """
    levels = np.stack([RED, GREEN, BLUE], axis=1).astype(np.float64)
    counts = tables.sum(2, keepdims=True)
    means = tables @ levels / np.maximum(counts, 1)
    return np.asarray((means[:, 1] - means[:, 0]) * counts.all(1))


@lru_cache(maxsize=2)
def measured(survey: Survey) -> tuple[Sequence[int], list[int]]:
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


def color_tables(
    survey: Survey, ids: Sequence[int], *parts: Callable[[Signals], Cells]
) -> Iterator[NDArray[np.float64]]:
    """(parts, images, classes, BINS): counts of these *parts* of the signals, in blocks of
    images.
    """
    if len(survey.pairs) <= KEPT:
        kept = [_kept_tables(survey, tuple(ids), part) for part in parts]
        yield from (np.array(tables, np.float64) for tables in zip(*kept, strict=True))
        return
    every = (signals for pair in survey.complete if (signals := pair.signals))
    while block := list(islice(every, BLOCK)):
        yield np.array([_table(block, ids, part) for part in parts], np.float64)


@lru_cache(maxsize=6)
def _kept_tables(
    survey: Survey, ids: tuple[int, ...], part: Callable[[Signals], Cells]
) -> list[NDArray[np.int16]]:
    """The tables of one of the *parts*, which are asked for a dozen times."""
    every = (signals for pair in survey.complete if (signals := pair.signals))
    return [_table(block, ids, part) for block in iter(lambda: list(islice(every, BLOCK)), [])]


def _table(
    block: Sequence[Signals], ids: Sequence[int], part: Callable[[Signals], Cells]
) -> NDArray[np.int16]:
    """(images, classes, BINS): counts of one part."""
    table = np.zeros((len(block), len(ids), BINS), np.int16)
    keys, counts, sizes = joined([part(signals) for signals in block])
    images = np.repeat(np.arange(len(block)), sizes)
    table[images, np.searchsorted(ids, keys // BINS), keys % BINS] = counts
    return table


def log_shares(counts: NDArray[np.float64]) -> NDArray[np.float64]:
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
    numbers, ids = measured(survey)
    if len(numbers) < LEAST or not 1 <= len(ids) <= MOST:
        return {}
    total = np.sum([block.sum(0) for (block,) in color_tables(survey, ids, HUE)], axis=0)
    mirrored = BLUE * 16 + GREEN * 4 + RED
    likelihoods = []
    for (own,) in color_tables(survey, ids, HUE):
        logs, cells = log_shares(total - own), np.maximum(own.sum((1, 2)), 1)
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
        for n in np.flatnonzero((gains > 0.3) & (scores > CHANNELS) & like_others).tolist()
        if _telling(np.delete(gains, n), float(gains[n]))
    }


def _telling(others: NDArray[np.float64], gain: float) -> bool:
    """Whether few of the *others* have so much *gain* beside those that would have it if they were
    swapped, which turns the sign of theirs. On gray ground neither order of the channels fits.
    """
    rivals = np.count_nonzero(others >= gain)
    losers = np.count_nonzero(-others >= gain)
    return bool(losers and rivals <= RIVALS * losers)
