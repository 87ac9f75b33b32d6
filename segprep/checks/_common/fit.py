"""Which masks do not lie on their images, judged against the rest of the same dataset.

For every image the fit of the mask's borders to the image's edges is known as it lies, for the best
mirrored or rotated version and for the best shift, and so is what its colors tell of the classes.
What is usual is taken from the dataset itself (median and scaled median absolute deviation), so
that soft objects and coarse labels raise no alarm.
"""

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Cells, Pair, Signals, Survey
from segprep.packed import LazySequence
from segprep.types import Finding

LEAST = 12  # images with borders; with fewer nothing is usual
LEAST_TOLD = 50.0  # nats: what colors tell varies like a count, and by no less than that of so many
CELLS = 64
FAR, FEW = 3.7, 15  # deviations; the fewer masks, the surer: FAR + FEW / masks
LEAST_GAIN = 0.3  # of a fit, or of what colors tell: less is not a reason
# what makes a misfit sure: that colors tell so much more of the mask elsewhere, or that its fit as
# it lies is so many deviations below the usual one
SURE_GAIN, SURE_LOSS = 1.0, 3.0
NOISE = 0.35, 1.0, 0.7  # the least deviation of a fit, of what colors tell, and of both together
KIND_SHARE, SHIFT_SHARE = 0.6, 0.25
TAIL = 0.05  # of an image's rows that are mid-gray, as where a JPEG was cut off
RELATED = 0.565  # the share of other images' masks that fit worse; up to .555 when mixed up


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
    detail). *scores* are those of all masks with borders, *numbers* in the survey, in deviations;
    *gains* how much more their colors tell of each turned or moved than as it lies.
    """

    misfits: Mapping[str, Misfit]
    whole: tuple[str, str, float] | None = None
    numbers: Sequence[int] = ()
    scores: Sequence[float] = ()
    gains: Sequence[float] = ()


_COLUMNS: Mapping[str, int | slice] = {
    "own": 0,
    "turned": 1,
    "moved": 2,
    "shift": slice(3, 5),
    "told": slice(6, 9),
}  # of what is kept of a signal


class _AllSignals(LazySequence[Signals]):
    """The signals of all masks with borders, *numbers* in the survey, without colors and places."""

    def __init__(self, survey: Survey) -> None:
        self.numbers, self._values = array("I"), array("d")
        names, self._turns = list[str](), array("B")
        for number, pair in enumerate(survey.pairs):
            signals = pair.signals if pair.complete else None
            if not signals or not signals.borders:
                continue
            if signals.turn not in names:
                names.append(signals.turn)
            self.numbers.append(number)
            self._turns.append(names.index(signals.turn))
            self._values.extend((signals.own, signals.turned, signals.moved, *signals.shift))
            self._values.extend((signals.borders, *signals.told))
        self._names = names

    def __len__(self) -> int:
        return len(self.numbers)

    def column(self, name: str) -> NDArray[np.float64]:
        """One field of all signals: (N,), or (N, values)."""
        return np.frombuffer(self._values).reshape(-1, 9)[:, _COLUMNS[name]]

    def _value(self, number: int) -> Signals:
        own, turned, moved, down, right, count, *told = self._values[9 * number : 9 * number + 9]
        turn, nothing = self._names[self._turns[number]], Cells(b"")
        shift, (first, second, third) = (down, right), told
        return Signals(
            own,
            turned,
            turn,
            moved,
            shift,
            int(count),
            (first, second, third),
            nothing,
            nothing,
            nothing,
        )


def findings(survey: Survey, rule: Rule, kind: str) -> Iterator[Finding]:
    """A finding of *rule* for every mask that stands out as *kind*."""
    for misfit in judged(survey).misfits.values():
        photo = survey.pair(misfit.stem).photo
        cut = photo is not None and photo.tail >= TAIL  # its lower part is lost, which is said
        moved = survey.moved_on  # from there on all are another's, which is said
        moved_on = moved is not None and survey.stems.find(misfit.stem) > moved.last
        if misfit.kind == kind and not cut and not moved_on:
            yield rule.finding(
                misfit.stem,
                survey.name(survey.pair(misfit.stem).mask),
                misfit.detail,
                "look at it: segprep view",
                score=misfit.score,
            )


@lru_cache(maxsize=2)
def judged(survey: Survey) -> Fit:
    """The fit of all masks of *survey*."""
    signals = _AllSignals(survey)
    if len(signals) < LEAST:
        return Fit({})
    if whole := _whole(signals, survey.own):
        return Fit({}, whole)
    scores = misplaced(signals)
    usual = median(signals.column("own"))
    misfits = {}
    for n in np.flatnonzero(scores > FAR + FEW / len(signals)).tolist():
        pair = survey.pairs[signals.numbers[n]]
        kind, detail = _kind(pair, signals[n], usual)
        misfits[pair.stem] = Misfit(pair.stem, kind, detail, round(min(float(scores[n]), 99.0), 2))
    columns = (array("d", values.tolist()) for values in (scores, gains(signals).max(1)))
    return Fit(misfits, None, signals.numbers, *columns)


def misplaced(signals: Sequence[Signals]) -> NDArray[np.float64]:
    """How much better than as it lies each mask fits turned or moved, in deviations of what is
    usual: the sum of two kinds of evidence, edges and colors. At most 0 for a mask that fits best
    as it lies by both, and at most FAR where neither alone is sure: among thin or soft objects many
    masks fit badly, and so no worse at some other place.
    """
    own = _column(signals, "own")
    fits = np.stack([_column(signals, name) - own for name in ("turned", "moved")], axis=1)
    told = gains(signals)
    turned, moved = (
        deviations(fits[:, n], NOISE[0]) + deviations(told[:, n], NOISE[1]) for n in (0, 1)
    )
    scores = deviations(np.maximum(turned, moved), NOISE[2])
    sure = (told.max(1) > SURE_GAIN) | (deviations(-own) > SURE_LOSS)
    better = (fits.max(1) > LEAST_GAIN) | (told.max(1) > LEAST_GAIN)
    return np.minimum(scores, np.where(better, np.where(sure, np.inf, FAR), 0.0))


def gains(signals: Sequence[Signals]) -> NDArray[np.float64]:
    """(masks, 2): how much more the colors tell of a mask turned, and moved, than as it lies."""
    told = _column(signals, "told")
    return np.asarray((told[:, 1:] - told[:, :1]) / np.sqrt(np.maximum(told[:, :1], LEAST_TOLD)))


def _column(signals: Sequence[Signals], name: str) -> NDArray[np.float64]:
    """One field of all *signals*: (N,), or (N, values)."""
    if isinstance(signals, _AllSignals):
        return signals.column(name)
    return np.array([getattr(signal, name) for signal in signals])


def median(values: Sequence[float] | NDArray[Any]) -> float:
    """The median of *values* (N,), at least one. np.median gives the same, but imports numpy.ma for
    it, which takes as long as checking ten samples.
    """
    ordered = np.sort(np.asarray(values, np.float64))
    return float(ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


def deviations(values: NDArray[np.float64], least: float = NOISE[0]) -> NDArray[np.float64]:
    """How far each value lies above the median, in scaled median absolute deviations; the deviation
    is at *least* so much: by default a third of the noise of a fit.
    """
    middle = median(values)
    spread = 1.4826 * median(np.abs(values - middle))
    return np.asarray((values - middle) / max(spread, least))


def _kind(pair: Pair, signal: Signals, usual: float) -> tuple[str, str]:
    """What would make the mask fit as usual, if anything does."""
    if max(signal.turned, signal.moved) < max(0.6 * usual, 2.5):
        return "unrelated", "neither shifted nor mirrored does it fit: a mask of another image?"
    if signal.turned > signal.moved + 0.5:
        return "mirrored", f"fits only {signal.turn}"
    return "shifted", f"fits {_words(pair, signal.shift)}"


def _words(pair: Pair, shift: tuple[float, float]) -> str:
    """A shift in pixels of this mask, as a person says it."""
    height, width = pair.label.shape if pair.label else (CELLS, CELLS)
    down, right = round(shift[0] * height), round(shift[1] * width)
    parts = [
        f"{abs(pixels)} px further {names[pixels > 0]}"
        for pixels, names in ((right, ("left", "right")), (down, ("up", "down")))
        if pixels
    ]
    return " and ".join(parts) or "as it lies"


def _whole(
    signals: Sequence[Signals], own_share: float | None = None
) -> tuple[str, str, float] | None:
    """What is the matter with all masks alike. *own_share* of the masks of others fit worse."""
    count = len(signals)
    own = _column(signals, "own")
    turned, moved = (_column(signals, name) - own for name in ("turned", "moved"))
    better = Counter(signals[n].turn for n in np.flatnonzero(turned > 0).tolist())
    turn, turns = better.most_common(1)[0] if better else ("", 0)
    # rows of like objects, as teeth, fit turned or a step further by borders, but not by colors
    by_turn, by_step = (median(column) > 0 for column in gains(signals).T)
    if turns >= KIND_SHARE * count and median(turned) > 0.8 and by_turn:
        return "mirrored", f"{turns} of {count} masks fit better {turn}", median(turned)
    center, near = _commonest(signals)
    far = np.abs(center).max() >= 2 and median(moved) > 0.5
    if near >= SHIFT_SHARE * count and far and by_step:
        down, right = (center / CELLS).tolist()
        text = (
            f"{near} of {count} masks fit better moved by {100 * right:+.0f} % of the"
            f" width and {100 * down:+.0f} % of the height"
        )
        return "shifted", text, median(moved)
    if own_share is not None and own_share < RELATED:
        text = (
            f"{1 - own_share:.0%} of the masks of other images fit an image better than its own"
            " does (50 % is chance)"
        )
        return "unrelated", text, 1 - own_share
    return None


def _commonest(signals: Sequence[Signals]) -> tuple[NDArray[np.float64], int]:
    """The shift (down, right) in cells that most masks have, within a cell, and how many do."""
    cells = np.round(_column(signals, "shift") * CELLS).astype(int)
    counts = np.zeros((2 * CELLS + 3, 2 * CELLS + 3), np.int64)
    np.add.at(counts, tuple((cells + CELLS + 1).T), 1)
    around = sum(
        np.roll(counts, (down, right), (0, 1)) for down in (-1, 0, 1) for right in (-1, 0, 1)
    )
    near = np.where(counts > 0, around, 0)
    row, column = np.unravel_index(int(near.argmax()), near.shape)
    return np.array([row, column], np.float64) - CELLS - 1, int(near.max())
