"""Do the masks at the end of a dataset fit the images before or after their own?

A file that was added or lost moves the names of all that follow. A few images are read again, each
with its own mask and those before and after it.
"""

from array import array
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segprep.checking.ranks import drawn, fits, photo
from segprep.checks._common import fit
from segprep.checks._common.moved_on import MovedOn
from segprep.checks._common.survey import Pair
from segprep.errors import SourceError

LEAST = 5  # masks in a third of the dataset
EVIDENCE = 3.0  # of the images from there on: more than half of them, by so many
SAMPLES, LAST = 24, 6  # images that are read; of the last a half calls for the others
WORSE = 0.85  # of the fit of the first third: the last third fits no better
MOST, BEFORE = 0.75, 0.34  # the share of images that a neighbor's mask fits better: there, before


def moved_on(pairs: Sequence[Pair], roots: tuple[Path, ...]) -> MovedOn | None:
    """From which sample on the masks are those of a neighbor; None where they are not, or all are.

    Only where the masks at the end fit worse than those at the beginning are images read again.
    """
    numbers, own = array("I"), array("d")
    for number, pair in enumerate(pairs):
        if pair.complete and (measured := pair.signals) and measured.borders:
            numbers.append(number)
            own.append(measured.own)
    third = len(numbers) // 3
    if third < LEAST or fit.median(own[-third:]) > WORSE * fit.median(own[:third]):
        return None
    chosen = np.unique(np.linspace(1, len(numbers) - 2, SAMPLES).astype(int)).tolist()
    last = list(_compared(pairs, numbers, chosen[-LAST:], roots))
    if max(sum(votes[1] for votes in last), sum(votes[2] for votes in last)) < LAST / 2:
        return None
    seen = [*_compared(pairs, numbers, chosen[:-LAST], roots), *last]
    likeliest = None
    for column, side in ((1, "before"), (2, "after")):
        better = np.array([votes[column] for votes in seen], np.bool_)
        start = _start(better)
        if start is not None and (likeliest is None or better[start:].mean() > likeliest.share):
            share = float(better[start:].mean())
            right, wrong = (numbers[seen[n][0]] for n in (start - 1, start))
            likeliest = MovedOn(right, wrong, side, share)
    return likeliest


def _compared(
    pairs: Sequence[Pair],
    numbers: Sequence[int],
    chosen: Sequence[int],
    roots: tuple[Path, ...],
) -> Iterator[tuple[int, bool, bool]]:
    """For each of the *chosen* of *numbers*: does the mask of the sample before it, and does that
    of the one after it, fit better than its own?
    """
    for number in chosen:
        with suppress(SourceError):
            near = [pairs[numbers[number + step]] for step in (0, -1, 1)]
            mask, before, after = (drawn(pair, roots) for pair in near)
            if mask and before and after and (image := photo(near[0], roots)):
                own = fits(image, mask)
                first, second = (_better(fits(image, other), own) for other in (before, after))
                yield number, first, second


def _better(other: tuple[float, float], own: tuple[float, float]) -> bool:
    """Whether edges speak for the *other* mask, and colors do not speak against it."""
    return other[0] > own[0] and 2 * other[1] > own[1]


def _start(better: NDArray[np.bool_]) -> int | None:
    """From where on nearly all images have the mask of a neighbor, while few before have."""
    for start in range(1, len(better)):
        tail, head = better[start:], better[:start]
        sure = tail.mean() >= MOST and (tail - 0.5).sum() >= EVIDENCE
        if better[start] and sure and head.mean() <= BEFORE:
            return start
    return None
