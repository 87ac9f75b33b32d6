"""Which masks do not lie on their images, judged against the rest of the same dataset.

For every image the fit of the mask's borders to the image's edges is known as it lies, for the best
mirrored or rotated version and for the best shift. What is usual is taken from the dataset itself
(median and scaled median absolute deviation), so that soft objects and coarse labels raise no
alarm.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from segprep.checks._common.survey import Signals, Survey

LEAST = 12  # images with borders; with fewer nothing is usual
CELLS = 64
FAR = 4.0  # deviations
KIND_SHARE, SHIFT_SHARE = 0.6, 0.25


@dataclass(frozen=True, slots=True)
class Misfit:
    """Why one mask stands out: *kind* is shifted, mirrored or unrelated; *score* in deviations."""

    stem: str
    kind: str
    detail: str
    score: float


@dataclass(frozen=True, slots=True)
class Fit:
    """Of a dataset: *misfits* by stem, or what is the matter with all masks (*whole*: kind and
    detail).
    """

    misfits: Mapping[str, Misfit]
    whole: tuple[str, str, float] | None = None


@lru_cache(maxsize=2)
def judged(survey: Survey) -> Fit:
    """The fit of all masks of *survey*."""
    measured = {
        pair.stem: pair.signals for pair in survey.complete if pair.signals and pair.signals.borders
    }
    if len(measured) < LEAST:
        return Fit({})
    signals = list(measured.values())
    if whole := _whole(signals):
        return Fit({}, whole)
    own = np.array([one.own for one in signals])
    turned = np.array([one.turned for one in signals]) - own
    moved = np.array([one.moved for one in signals]) - own
    usual = float(np.median(own))
    turn_scores, move_scores = deviations(turned), deviations(moved)
    misfits = {}
    for n, (stem, one) in enumerate(measured.items()):
        turns = turned[n] > 0.5 and turn_scores[n] > FAR
        moves = moved[n] > 1.8 and move_scores[n] > 4.5 and _distance(one) >= 2
        if turns or moves:
            score = float(max(turn_scores[n] if turns else 0, move_scores[n] if moves else 0))
            kind, detail = _kind(survey, stem, one, usual)
            misfits[stem] = Misfit(stem, kind, detail, round(min(score, 99.0), 2))
    return Fit(misfits)


def deviations(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far each value lies above the median, in scaled median absolute deviations; the deviation
    is at least 0.35, a third of the noise of a fit.
    """
    middle = np.median(values)
    spread = 1.4826 * float(np.median(np.abs(values - middle)))
    return np.asarray((values - middle) / max(spread, 0.35))


def _distance(one: Signals) -> float:
    """The length of the best shift in cells."""
    return float(np.hypot(*one.shift)) * CELLS


def _kind(survey: Survey, stem: str, one: Signals, usual: float) -> tuple[str, str]:
    """What would make the mask fit as usual, if anything does."""
    if max(one.turned, one.moved) < max(0.6 * usual, 2.5):
        return "unrelated", "neither shifted nor mirrored does it fit: a mask of another image?"
    if one.turned > one.moved + 0.5:
        return "mirrored", f"fits only {one.turn}"
    return "shifted", f"fits {_words(survey, stem, one.shift)}"


def _words(survey: Survey, stem: str, shift: tuple[float, float]) -> str:
    """A shift in pixels of this mask, as a person says it."""
    label = survey.by_stem[stem].label
    height, width = label.shape if label else (CELLS, CELLS)
    down, right = round(shift[0] * height), round(shift[1] * width)
    parts = [
        f"{abs(pixels)} px further {names[pixels > 0]}"
        for pixels, names in ((right, ("left", "right")), (down, ("up", "down")))
        if pixels
    ]
    return " and ".join(parts) or "as it lies"


def _whole(signals: Sequence[Signals]) -> tuple[str, str, float] | None:
    """What is the matter with all masks alike."""
    count = len(signals)
    own = np.array([one.own for one in signals])
    turned = np.array([one.turned for one in signals]) - own
    moved = np.array([one.moved for one in signals]) - own
    turn, turns = (
        Counter(one.turn for one in signals if one.turned > one.own).most_common(1)[0]
        if (turned > 0).any()
        else ("", 0)
    )
    if turns >= KIND_SHARE * count and float(np.median(turned)) > 0.8:
        return "mirrored", f"{turns} of {count} masks fit better {turn}", float(np.median(turned))
    center, near = _commonest(signals)
    if near >= SHIFT_SHARE * count and np.abs(center).max() >= 2 and float(np.median(moved)) > 0.5:
        down, right = (center / CELLS).tolist()
        text = (
            f"{near} of {count} masks fit better moved by {100 * right:+.0f} % of the"
            f" width and {100 * down:+.0f} % of the height"
        )
        return "shifted", text, float(np.median(moved))
    if float(np.median(turned)) > 0.2 and float(np.median(own)) < 2:
        text = "most masks fit their images no better than mirrored ones do"
        return "unrelated", text, float(np.median(turned))
    return None


def _commonest(signals: Sequence[Signals]) -> tuple[NDArray[np.float64], int]:
    """The shift (down, right) in cells that most masks have, within a cell, and how many do."""
    cells = np.round(np.array([one.shift for one in signals]) * CELLS).astype(int)
    counts = np.zeros((2 * CELLS + 3, 2 * CELLS + 3), np.int64)
    np.add.at(counts, tuple((cells + CELLS + 1).T), 1)
    around = sum(
        np.roll(counts, (down, right), (0, 1)) for down in (-1, 0, 1) for right in (-1, 0, 1)
    )
    near = np.where(counts > 0, around, 0)
    row, column = np.unravel_index(int(near.argmax()), near.shape)
    return np.array([row, column], np.float64) - CELLS - 1, int(near.max())
