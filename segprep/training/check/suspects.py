"""Which masks does the model disagree with most? Ranked so that the likely mislabeled ones stand
first.

A model that was trained on a few wrong masks among many right ones has learned the right ones;
where it is sure and the mask says otherwise, the mask is suspect (the idea of confident learning:
Northcutt, Jiang and Chuang 2021, arXiv:1911.00068). Two signs are added up, since each finds other
faults: whole pieces that one side has and the other has not; and how badly the worst class fits,
times how sure the model is where it contradicts. What edges and colors say is added: of the mask
without any model, since a small model blurs where it has seen few images; and whether the colors
tell more of the prediction than of the mask, since a model is wrong more often than a mask is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from segprep.checks._common import fit
from segprep.training.check.piece_sizes import numbered
from segprep.types import IGNORE

# pixels of a piece that counts; the share of it that has to be met on the other side
LEAST_PIECE, MET = 9, 0.3
# of the pixels: beside so much the pieces of the worst class are held. Swapped masks of oxford_pets
# (border of a tenth of the pixels) stand higher by .07 in area under the curve, mirrored by .08.
LITTLE = 0.07
SPREAD, TOLD_SPREAD = 0.03, 3.0  # the least robust standard deviations of score and told
# A mask looks wrong from that many deviations on, all evidence added up, of which the model's
# disagreement counts MODEL at most. Spoiled masks have 11.1 and more, or too little to be told from
# others; clean ones 10.8 at most, in seven sets.
WRONG, MODEL = 11.0, 6.0
# Several masks, and such a share of all, count from LIKELY on: clean sets have one or two in 100.
LIKELY, SEVERAL, SHARE = 8.0, 4, 0.03
# What colors tell counts where the mask lies elsewhere by edges and colors, or where the model sees
# what the mask shows and further pieces: it likes to paint all that has the color of a class.
PLACED, PIECES, SEEN = 2.5, 0.3, 0.5
WORST_SHARE = 0.2  # of the pixels: those that are most contradicted


@dataclass(frozen=True, slots=True)
class Suspect:
    """One sample: *score* 0 (mask and model agree) to 1, its *iou*, whether the model saw it in
    *training*, for a mask that looks wrong what is wrong with it, in a few words, how far
    *misplaced* it is by edges and colors, in deviations, and how much more the colors have *told*
    of the prediction than of the mask, in square roots of nats (see :mod:`.placement`). *seen* is
    the share of the mask's pixels, those of the largest class excluded, that the model gives the
    same class; 1 where there are none.
    """

    stem: str
    score: float
    iou: float
    training: bool
    kind: str = ""
    misplaced: float = 0.0
    told: float = 0.0
    seen: float = 1.0


def ranked(suspects: Sequence[Suspect]) -> tuple[Suspect, ...]:
    """The most suspect first: by all evidence, added up in deviations."""
    model, rest = _evidence(suspects)
    sums = (model + rest).tolist()
    order = sorted(range(len(suspects)), key=lambda n: (-sums[n], suspects[n].stem))
    return tuple(suspects[n] for n in order)


def outliers(suspects: Sequence[Suspect]) -> tuple[Suspect, ...]:
    """Those of *suspects*, in their order, that stand out from the rest by all evidence together:
    none where one kind alone accuses them, nor in a set that is hard throughout.
    """
    model, rest = _evidence(suspects)
    sums = np.minimum(model, MODEL) + rest
    several = (sums >= LIKELY).sum() >= max(SEVERAL, SHARE * len(suspects))
    wrong = sums >= (LIKELY if several else WRONG)
    return tuple(suspects[n] for n in np.flatnonzero(wrong).tolist())


def _evidence(suspects: Sequence[Suspect]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How far above the median the disagreement of each lies, and all that edges and colors say, in
    robust standard deviations.
    """
    rows = [(item.score, item.told, item.misplaced, item.seen) for item in suspects]
    if not rows:
        return np.zeros(0), np.zeros(0)
    scores, told, placed, seen = np.array(rows).T
    counts = (placed >= PLACED) | ((scores >= PIECES) & (seen >= SEEN))
    colors = np.where(counts, fit.deviations(told, TOLD_SPREAD), 0.0)
    return fit.deviations(scores, SPREAD), colors + np.maximum(placed, 0.0)


def disagreement(probabilities: Tensor, mask: NDArray[np.uint8]) -> tuple[float, float]:
    """(score, mean IoU) of *mask* (h, w) against probabilities (C, h, w); (0, 1) where every pixel
    is ignored.
    """
    valid = mask != IGNORE
    if not valid.any():
        return 0.0, 1.0
    values = probabilities.numpy()
    guess, truth = np.where(valid, values.argmax(0), IGNORE), np.where(valid, mask, IGNORE)
    classes = [int(c) for c in np.union1d(guess[valid], truth[valid])]
    ious = [_iou(guess == c, truth == c) for c in classes]
    pieces = _unmet([(guess == c, truth == c) for c in classes], int(valid.sum()))
    score = (pieces + (1 - min(ious)) * _contradicted(values, truth, valid)) / 2
    return float(score), float(np.mean(ious))


def recall(guess: NDArray[np.uint8], mask: NDArray[np.uint8]) -> float:
    """The share of the pixels of *mask* (h, w), those ignored or of the largest class of both
    excluded, that *guess* (h, w) gives the same class; 1 where there are none.
    """
    valid = mask != IGNORE
    largest = np.bincount(np.concatenate([mask[valid], guess[valid], [0]])).argmax()
    shown = valid & (mask != largest)
    return float((guess == mask)[shown].mean()) if shown.any() else 1.0


def _iou(left: NDArray[np.bool_], right: NDArray[np.bool_]) -> float:
    return float((left & right).sum() / (left | right).sum())


def _unmet(sides: Sequence[tuple[NDArray[np.bool_], NDArray[np.bool_]]], valid: int) -> float:
    """The share of the area of connected pieces, of both sides, of which the other side meets less
    than MET: of every class but the largest together, or of the class that is met worst. That one
    needs an area to speak of, beside LITTLE of the *valid* pixels: in a set of many classes a rare
    object that the network misses is no wrong mask.
    """
    lost, total = np.array([_lost(left, right) for left, right in sides]).T
    others = np.arange(len(sides)) != np.argmax([left.sum() + right.sum() for left, right in sides])
    if len(sides) == 1:
        others[:] = True
    together = float(lost[others].sum() / max(total[others].sum(), 1))
    return max(together, float((lost / (total + LITTLE * valid)).max()))


def _lost(left: NDArray[np.bool_], right: NDArray[np.bool_]) -> tuple[float, float]:
    """Of one class: the area of all pieces that are not met, and of all pieces."""
    lost = total = 0.0
    for here, there in ((left, right), (right, left)):
        pieces, sizes = numbered(here)
        met = np.bincount(pieces.reshape(-1), weights=there.reshape(-1))
        counts = sizes >= LEAST_PIECE
        lost += sizes[counts & (met < MET * sizes)].sum()
        total += sizes[counts].sum()
    return lost, total


def _contradicted(
    values: NDArray[np.float32], truth: NDArray[np.uint8], valid: NDArray[np.bool_]
) -> float:
    """1 - the probability of the mask's class, averaged over the pixels where it is largest."""
    probability = np.take_along_axis(values, np.where(valid, truth, 0)[None].astype(np.intp), 0)[0][
        valid
    ]
    most = max(1, round(WORST_SHARE * probability.size))
    return float(1 - np.partition(probability, most - 1)[:most].mean())
