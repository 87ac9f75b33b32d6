"""What follows from the sums of a confusion matrix.

Definitions, with d the diagonal, r the row sums (truth), p the column sums (predicted) of the
matrix, N its sum: IoU d/(r+p-d) · Dice = F1 2d/(r+p) · precision d/p · recall d/r · specificity
(N-r-p+d)/(N-r) · pixel accuracy Σd/N · mean accuracy the mean recall · frequency-weighted IoU
Σ(r·IoU)/N · Cohen's kappa (o-e)/(1-e), o = Σd/N, e = Σ(r·p)/N².
"""

from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from segprep.metrics.counting import Ints, Tally

Floats = NDArray[np.float64]
Absent = Literal["nan", "zero", "one", "undefined"]


@dataclass(frozen=True, slots=True)
class Policy:
    """What is averaged, and how.

    *absent*: what a class counts that neither truth nor prediction has: nan = excluded, zero, one,
    undefined = the mean is NaN. *excluded*: ids of classes excluded from every mean; their pixels
    still count as errors of the others. *void*: ids of classes whose truth pixels are dropped like
    ignored ones. *ignored_as*: the class that ignored truth pixels are counted as, if any.
    """

    absent: Absent = "nan"
    excluded: tuple[int, ...] = ()
    void: tuple[int, ...] = ()
    ignored_as: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Per class float64 (C,), NaN where undefined; and over all classes.

    *averaged*: classes in the mean IoU; *pixels*: truth pixels (C,).
    """

    iou: Floats
    dice: Floats
    precision: Floats
    recall: Floats
    specificity: Floats
    pixels: Ints
    predicted: Ints
    miou: float
    fwiou: float
    mean_dice: float
    mean_precision: float
    mean_recall: float
    mean_specificity: float
    pixel_accuracy: float
    kappa: float
    averaged: int

    @property
    def mean_accuracy(self) -> float:
        """The mean recall, under its usual name."""
        return self.mean_recall


def ratio(part: NDArray[Any], whole: NDArray[Any]) -> Floats:
    """part / whole, NaN where that is 0/0."""
    return cast(
        "Floats", np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=whole != 0)
    )


def from_sums(same: Ints, rows: Ints, columns: Ints, policy: Policy) -> Scores:
    """Every score from diagonal, row and column sums (C,). Empty matrices give NaN."""
    total = int(rows.sum())
    gone = (rows + columns) == 0
    kept = np.ones(len(same), np.bool_)
    kept[list(policy.excluded)] = False
    fill = {"zero": 0.0, "one": 1.0}.get(policy.absent, np.nan)

    def filled(part: Any, whole: Any) -> Floats:
        values = ratio(part, whole)
        return np.where(
            gone, fill, np.where(np.isnan(values) & (policy.absent == "zero"), 0.0, values)
        )

    iou, dice = filled(same, rows + columns - same), filled(2 * same, rows + columns)
    precision, recall = filled(same, columns), filled(same, rows)
    specificity = ratio(total - rows - columns + same, total - rows)
    weight = np.where(kept, rows, 0)
    chance = float((rows / max(total, 1) * (columns / max(total, 1))).sum())
    observed = float(same.sum() / total) if total else float("nan")
    miou = (
        mean(iou[kept]) if not (policy.absent == "undefined" and gone[kept].any()) else float("nan")
    )
    return Scores(
        iou,
        dice,
        precision,
        recall,
        specificity,
        rows,
        columns,
        miou,
        float(np.where(weight > 0, weight * np.nan_to_num(iou), 0).sum() / weight.sum())
        if weight.sum()
        else float("nan"),
        mean(dice[kept]),
        mean(precision[kept]),
        mean(recall[kept]),
        mean(specificity[kept & ~gone]),
        observed,
        (observed - chance) / (1 - chance) if chance < 1 else float("nan"),
        int((~np.isnan(iou[kept])).sum()),
    )


def mean(values: Floats) -> float:
    """The mean of all that is not NaN; NaN of nothing."""
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if len(defined) else float("nan")


def baseline(rows: Ints, policy: Policy) -> tuple[int, Scores]:
    """The trivial prediction, the majority class everywhere: its id, and its scores.

    *rows* (C,): truth pixels.
    """
    top = int(np.argmax(rows))
    same, columns = np.zeros_like(rows), np.zeros_like(rows)
    same[top], columns[top] = rows[top], rows.sum()
    return top, from_sums(same, rows, columns, policy)


@dataclass(frozen=True, slots=True)
class Sums:
    """Diagonal, row and column sums of one image's matrix, of the classes *ids* (K,) that occur in
    it; int64 (K,) each.
    """

    ids: Ints
    same: Ints
    rows: Ints
    columns: Ints

    @property
    def miou(self) -> float:
        """The mean IoU of the classes that occur; NaN of none."""
        return (
            float((self.same / (self.rows + self.columns - self.same)).sum() / len(self.ids))
            if len(self.ids)
            else float("nan")
        )

    @property
    def accuracy(self) -> float:
        """Right pixels among all; NaN of none."""
        total = self.rows.sum()
        return float(self.same.sum() / total) if total else float("nan")


def sums(counts: Tally, size: int, ignore: int | None, policy: Policy) -> Sums:
    """The sums of one image as *policy* counts, without the excluded classes."""
    changed = policy.ignored_as is not None or policy.void
    plain = -1 if changed else counts.plain(size, ignore)
    if plain >= 0:
        truth, pred = counts.truth[:plain], counts.pred[:plain]
        pixels = counts.pixels[:plain].astype(np.float64)  # exact below 2^53
        inside: Any = slice(None)
    else:
        truth = counts.truth
        if policy.ignored_as is not None and ignore is not None:
            truth = np.where(truth == ignore, policy.ignored_as, truth)
        kept = (truth >= 0) & (truth < size)
        if policy.void:
            kept &= ~np.isin(truth, policy.void)
        truth, pred, pixels = truth[kept], counts.pred[kept], counts.pixels[kept].astype(np.float64)
        inside = (pred >= 0) & (pred < size)
    right = truth == pred
    same, rows, columns = (
        np.bincount(values, weights, size)
        for values, weights in (
            (truth[right], pixels[right]),
            (truth, pixels),
            (pred[inside], pixels[inside]),
        )
    )
    occurs = (rows + columns) > 0
    if policy.excluded:
        occurs[list(policy.excluded)] = False
    ids = np.flatnonzero(occurs)
    return Sums(ids, *(part[ids].astype(np.int64) for part in (same, rows, columns)))
