"""Do the colors and places of an image's classes speak for its labels, or for two of them swapped?

Color and place given the class are counted over all other images of the dataset (leave one out);
the labels of one image are then more or less likely than the same labels with two classes swapped.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from segprep.checks._common.fit import LEAST, deviations
from segprep.checks._common.survey import Survey

BINS = 64
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
    pairs = [pair for pair in survey.complete if pair.signals]
    ids = sorted({c for pair in pairs if pair.signals for c, _ in pair.signals.hue})
    if len(pairs) < LEAST or not 2 <= len(ids) <= MOST:
        return {}
    place = {value: n for n, value in enumerate(ids)}
    hue = np.stack([_table(pair.signals.hue, place) for pair in pairs if pair.signals])
    where = np.stack([_table(pair.signals.place, place) for pair in pairs if pair.signals])
    total = hue.sum(0), where.sum(0)
    gains, best = np.zeros(len(pairs)), list[tuple[int, int]]()
    for n in range(len(pairs)):
        logs = [_logs(whole - own[n]) for whole, own in zip(total, (hue, where), strict=True)]
        gains[n], swap = _gain([hue[n], where[n]], logs)
        best.append(swap)
    scores = deviations(gains / 0.2) if len(gains) else gains
    return {
        pair.stem: Swap((ids[best[n][0]], ids[best[n][1]]), float(gains[n]), float(scores[n]))
        for n, pair in enumerate(pairs)
        if gains[n] > 0.25 and scores[n] > 4
    }


def _table(counts: Mapping[tuple[int, int], int], place: Mapping[int, int]) -> NDArray[np.float64]:
    table = np.zeros((len(place), BINS))
    for (value, at), count in counts.items():
        table[place[value], at] = count
    return table


def _logs(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """log P(bin | class), one pseudo count spread over the bins."""
    smooth = counts + 4.0 / BINS
    return np.asarray(np.log(smooth / smooth.sum(1, keepdims=True)))


def _gain(
    tables: list[NDArray[np.float64]], logs: list[NDArray[np.float64]]
) -> tuple[float, tuple[int, int]]:
    """The largest gain of a swap of two classes, per pixel of the two, and the swap."""
    scores = sum(
        table @ log.T for table, log in zip(tables, logs, strict=True)
    )  # [c, d]: the pixels of class c taken for class d
    assert isinstance(scores, np.ndarray)
    pixels = tables[0].sum(1)
    found = (-np.inf, (0, 0))
    for one, other in combinations(range(len(pixels)), 2):
        count = pixels[one] + pixels[other]
        if not pixels[one] or not pixels[other]:
            continue
        gain = (
            scores[one, other] + scores[other, one] - scores[one, one] - scores[other, other]
        ) / count
        found = max(found, (float(gain), (one, other)))
    return (0.0, found[1]) if np.isinf(found[0]) else found
