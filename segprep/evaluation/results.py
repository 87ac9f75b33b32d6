"""What an evaluation holds, and the same as one plain document: what ``--json`` prints and
``scores.json`` keeps.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from segprep.cards import card
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
    :mod:`segprep.evaluation.boundary` names the papers.
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

    def _repr_html_(self) -> str:
        interval = self.interval
        facts = {
            "mIoU": f"{self.miou:.4f}",
            "95 % interval": f"{interval[0]:.4f} to {interval[1]:.4f}" if interval else "",
            "pixel accuracy": f"{self.scores.pixel_accuracy:.4f}",
            "pairs": self.pairs,
            "policy": self.policy.absent,
        }
        keys = ("iou", "dice", "precision", "recall")
        rows = [
            (n, row["name"], *(f"{row[key]:.4f}" for key in keys), f"{row['pixels']:,}")
            for n, row in enumerate(_class_rows(self))
        ]
        columns = ("id", "class", "IoU", "Dice", "precision", "recall", "pixels")
        remarks = [note.message for note in self.notes]
        return card(self.pred.name, facts, columns=columns, rows=rows, remarks=remarks)


def document(result: Evaluation) -> dict[str, Any]:
    """*result* with stable keys; an undefined number is NaN here and null in JSON.

    The matrix is not in it beyond 4,096 classes.
    """
    scores, matrix, boundary = result.scores, result.matrix, result.boundary
    return {
        "miou": result.miou,
        "classes": _class_rows(result),
        "confusion_matrix": matrix.matrix.tolist() if matrix.size <= DENSE else None,
        "policy": {
            "ignore_index": result.ignore,
            "absent": result.policy.absent,
            "excluded": [result.classes[n] for n in result.policy.excluded],
            "averaged": scores.averaged,
            "compat": result.compat,
            "definition": result.how,
        },
        "counts": counts(result),
        "interval": list(result.interval) if result.interval else None,
        **_overall(scores),
        "baseline": {
            "class": result.baseline_class,
            "miou": result.baseline.miou,
            "pixel_accuracy": result.baseline.pixel_accuracy,
        },
        "boundary": None
        if boundary is None
        else {"iou": boundary.mean_iou, "f": boundary.mean_f, "definition": BOUNDARY},
        "objects": result.objects,
        "numbers": dict(result.numbers),
        "worst": _image_rows(result.worst),
        "images": _image_rows(result.images),
        "groups": [
            {
                "group": group.name,
                "miou": group.miou,
                "pixel_accuracy": group.accuracy,
                "pixels": group.pixels,
            }
            for group in result.groups
        ],
        "against": _against(result),
        "missing": list(result.missing),
        "extra": list(result.extra),
        "notes": [asdict(note) for note in result.notes],
    }


def _class_rows(result: Evaluation) -> list[dict[str, Any]]:
    scores = result.scores
    columns: dict[str, Floats] = {
        "iou": scores.iou,
        "dice": scores.dice,
        "precision": scores.precision,
        "recall": scores.recall,
        "specificity": scores.specificity,
    }
    if result.boundary is not None:
        columns |= {"boundary_iou": result.boundary.iou, "boundary_f": result.boundary.f_score}
    return [
        {
            "name": name,
            **{key: float(values[n]) for key, values in columns.items()},
            "pixels": int(scores.pixels[n]),
            "predicted": int(scores.predicted[n]),
        }
        for n, name in enumerate(result.classes)
    ]


def _overall(scores: Scores) -> dict[str, float]:
    return {
        "fwiou": scores.fwiou,
        "dice": scores.mean_dice,
        "precision": scores.mean_precision,
        "recall": scores.mean_recall,
        "specificity": scores.mean_specificity,
        "pixel_accuracy": scores.pixel_accuracy,
        "mean_accuracy": scores.mean_accuracy,
        "kappa": scores.kappa,
    }


def _image_rows(images: Iterable[ImageScore]) -> list[dict[str, Any]]:
    return [
        {"stem": image.stem, "miou": image.miou, "pixel_accuracy": image.accuracy}
        for image in images
    ]


def counts(result: Evaluation) -> dict[str, int]:
    """MaskPairs and pixels: those of a class that the policy drops count as ignored."""
    rows = result.matrix.matrix.sum(1)
    void = int(sum(rows[n] for n in result.policy.void))
    lost = int(result.matrix.invalid[list(result.policy.void)].sum())
    return {
        "pairs": result.pairs,
        "valid": result.matrix.valid - void,
        "ignored": result.matrix.ignored_pixels + void + lost,
        "invalid": result.matrix.invalid_pixels - lost,
        "missing": len(result.missing),
        "extra": len(result.extra),
    }


def _against(result: Evaluation) -> dict[str, Any] | None:
    other = result.comparison
    if other is None:
        return None
    changed = [
        {"stem": image.stem, "miou": image.miou, "change": image.change} for image in other.changed
    ]
    return {
        "pred": str(other.pred),
        "miou": other.miou,
        "difference": other.difference,
        "interval": list(other.interval) if other.interval else None,
        "changed": changed,
    }
