"""What an evaluation holds, and the same as one plain document: what ``--json`` prints and
``scores.json`` keeps.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from segprep.evaluation.accumulate import ImageScore
from segprep.metrics.confusion import DENSE, ConfusionMatrix
from segprep.metrics.scores import Floats, Policy, Scores
from segprep.types import Note

BOUNDARY = (
    "boundary IoU: Cheng et al. 2021, within 2 % of the diagonal of each contour, summed over the"
    " images; boundary F: Csurka et al. 2013, contours within 0.75 % of the diagonal, mean over the"
    " images, then over the classes"
)


@dataclass(frozen=True, slots=True)
class GroupScore:
    """One group's score."""

    name: str
    miou: float
    accuracy: float
    pixels: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Another prediction of the same images: its score, and ours minus its, with the 95 % interval
    over paired replicates. *changed*: the images with the largest difference.
    """

    pred: Path
    miou: float
    difference: float
    interval: tuple[float, float] | None
    changed: tuple[ImageScore, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Boundaries:
    """Boundary IoU and boundary F per class, float64 (C,), NaN where undefined, and their means.
    :mod:`boundaries` names the papers.
    """

    iou: Floats
    f_score: Floats
    mean_iou: float
    mean_f: float


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """All scores of one folder of predictions.

    *interval*: 95 % bootstrap over images, or groups; *baseline*: the majority class everywhere.
    """

    pred: Path
    truth: Path
    classes: tuple[str, ...]
    ignore: int | None
    policy: Policy
    compat: str | None
    how: str
    numbers: Mapping[str, Any]
    matrix: ConfusionMatrix
    scores: Scores
    miou: float
    interval: tuple[float, float] | None
    baseline: Scores
    baseline_class: str
    pairs: int
    missing: tuple[str, ...]
    extra: tuple[str, ...]
    worst: tuple[ImageScore, ...]
    groups: tuple[GroupScore, ...]
    comparison: Comparison | None
    boundary: Boundaries | None
    objects: Mapping[str, Any] | None
    notes: tuple[Note, ...]
    images: tuple[ImageScore, ...] = ()


def document(found: Evaluation) -> dict[str, Any]:
    """*found* with stable keys; an undefined number is NaN here and null in JSON.

    The matrix is left out beyond 4,096 classes.
    """
    scores, matrix = found.scores, found.matrix
    columns: dict[str, Floats] = {
        "iou": scores.iou,
        "dice": scores.dice,
        "precision": scores.precision,
        "recall": scores.recall,
        "specificity": scores.specificity,
    }
    if found.boundary is not None:
        columns |= {"boundary_iou": found.boundary.iou, "boundary_f": found.boundary.f_score}
    classes = [
        {
            "name": name,
            **{key: float(values[n]) for key, values in columns.items()},
            "pixels": int(scores.pixels[n]),
            "predicted": int(scores.predicted[n]),
        }
        for n, name in enumerate(found.classes)
    ]
    named = [found.classes[n] for n in found.policy.excluded]
    return {
        "miou": found.miou,
        "classes": classes,
        "confusion_matrix": matrix.matrix.tolist() if matrix.size <= DENSE else None,
        "policy": {
            "ignore_index": found.ignore,
            "absent": found.policy.absent,
            "excluded": named,
            "averaged": scores.averaged,
            "compat": found.compat,
            "definition": found.how,
        },
        "counts": counts(found),
        "interval": list(found.interval) if found.interval else None,
        "fwiou": scores.fwiou,
        "dice": scores.mean_dice,
        "precision": scores.mean_precision,
        "recall": scores.mean_recall,
        "specificity": scores.mean_specificity,
        "pixel_accuracy": scores.pixel_accuracy,
        "mean_accuracy": scores.mean_accuracy,
        "kappa": scores.kappa,
        "baseline": {
            "class": found.baseline_class,
            "miou": found.baseline.miou,
            "pixel_accuracy": found.baseline.pixel_accuracy,
        },
        "boundary": {
            "iou": found.boundary.mean_iou,
            "f": found.boundary.mean_f,
            "definition": BOUNDARY,
        }
        if found.boundary is not None
        else None,
        "objects": found.objects,
        "numbers": dict(found.numbers),
        "worst": [
            {"stem": one.stem, "miou": one.miou, "pixel_accuracy": one.accuracy}
            for one in found.worst
        ],
        "images": [
            {"stem": one.stem, "miou": one.miou, "pixel_accuracy": one.accuracy}
            for one in found.images
        ],
        "groups": [
            {
                "group": one.name,
                "miou": one.miou,
                "pixel_accuracy": one.accuracy,
                "pixels": one.pixels,
            }
            for one in found.groups
        ],
        "against": _against(found),
        "missing": list(found.missing),
        "extra": list(found.extra),
        "notes": [asdict(note) for note in found.notes],
    }


def counts(found: Evaluation) -> dict[str, int]:
    """MaskPairs and pixels: those of a class that the policy drops count as ignored."""
    rows = found.matrix.matrix.sum(1)
    void = int(sum(rows[n] for n in found.policy.void))
    lost = int(found.matrix.invalid[list(found.policy.void)].sum())
    return {
        "pairs": found.pairs,
        "valid": found.matrix.valid - void,
        "ignored": found.matrix.ignored_pixels + void + lost,
        "invalid": found.matrix.invalid_pixels - lost,
        "missing": len(found.missing),
        "extra": len(found.extra),
    }


def _against(found: Evaluation) -> dict[str, Any] | None:
    other = found.comparison
    if other is None:
        return None
    changed = [{"stem": one.stem, "miou": one.miou, "change": one.change} for one in other.changed]
    return {
        "pred": str(other.pred),
        "miou": other.miou,
        "difference": other.difference,
        "interval": list(other.interval) if other.interval else None,
        "changed": changed,
    }
