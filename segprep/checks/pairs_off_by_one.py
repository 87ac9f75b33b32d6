"""Masks of samples in a row fit their images in no position: the names are off by one from there.

Why: a file that was added or lost moved the numbers of all that follow, and each is paired wrongly.
Fix: compare the first of them with its neighbors (segprep view); rename from there on.
Source: F5; from some image on the mask before or after its own fits better; or else the stretch, in
the order of the numbers, whose misfits add up to most.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from segprep.checks._common.fit import judged
from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG608", "warning")
# of a stretch: samples at least, and the sum of their scores beyond USUAL each, in deviations; one
# sample counts MOST at most, so that a few bad masks are no stretch
LEAST, USUAL, SUM, MOST = 5, 1.0, 10.0, 3.0
# neighbors are often alike (frames, augmented copies), so that a sum alone proves little: the
# stretch's mean score, and the share of its samples beyond USUAL
MEAN, SHARE = 1.75, 2 / 3
# a file that was added or lost moves all that follow; a stretch that more follows than a REST of
# itself, which may fit by chance, takes a second one, and TWICE the evidence
REST, TWICE = 1 / 4, 2.0


def find(survey: Survey) -> Iterator[Finding]:
    """One finding: from where on the names are off, or for the stretch that stands out most."""
    if moved := survey.moved_on:
        pair = survey.pairs[moved.number]
        yield RULE.finding(
            pair.stem,
            survey.name(pair.mask),
            f"from about here on the images fit the mask {moved.side} their own better"
            f" ({moved.share:.0%} of those that were compared): the names are off by one",
            "look at them: segprep view",
            score=round(moved.share, 2),
        )
        return
    fit = judged(survey)
    start, end, total = worst(fit.scores)
    least = SUM if len(fit.scores) - end <= REST * (end - start) else TWICE * SUM
    if stands_out(fit.scores[start:end], total, least) and told_elsewhere(fit.gains[start:end]):
        first, last = (survey.pairs[fit.numbers[n]] for n in (start, end - 1))
        yield RULE.finding(
            first.stem,
            survey.name(first.mask),
            f"the {end - start} masks from {first.stem} to {last.stem} fit their images far"
            " worse than the others: the names may be off by one from here",
            "look at them: segprep view",
            score=round(total, 2),
        )


def stands_out(stretch: Sequence[float], total: float, least: float = SUM) -> bool:
    """Whether the scores of a *stretch*, which add up to *total*, are those of wrong pairs."""
    if len(stretch) < LEAST or total <= least:
        return False
    scores = np.array(stretch)
    return bool(scores.mean() > MEAN and (scores > USUAL).mean() > SHARE)


def told_elsewhere(gains: Sequence[float]) -> bool:
    """Whether the colors tell more of most masks of a stretch elsewhere than as they lie (*gains*
    above 0). Where they do not, its objects are harder to see than those before, as in images of
    another day.
    """
    return sum(gain > 0 for gain in gains) > len(gains) / 2


def worst(scores: Sequence[float]) -> tuple[int, int, float]:
    """The stretch [start, end) of *scores* with the largest sum beyond USUAL each, and that sum."""
    largest, start, total = (0, 0, 0.0), 0, 0.0
    for n, score in enumerate(scores):
        if total <= 0:
            start, total = n, 0.0
        total += max(-2.0, min(score, MOST)) - USUAL
        largest = max(largest, (start, n + 1, total), key=lambda stretch: stretch[2])
    return largest
