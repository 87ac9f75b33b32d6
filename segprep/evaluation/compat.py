"""Other tools' definitions of their scores, from the same exact counts, and in words how each
differs from ours.

Ours: ignored truth pixels dropped, classes that neither side has excluded from the mean, one matrix
over all images.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from segprep.errors import UsageError
from segprep.metrics.confusion import ConfusionMatrix
from segprep.metrics.scores import Policy, Scores, mean, ratio

Numbers = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ScoreDefinition:
    """One tool's definition. *policy* says how its mean IoU counts; *numbers* its own figures by
    its own names; *how* it differs, in words.

    *needs*: what has to be measured image by image: "dice" (WZ), "batches" (UNet++), "segments"
    (ISBI), "samples" (torchmetrics' MeanIoU). *headline*: which of *numbers* stands in place of the
    mean IoU.
    """

    policy: Policy
    how: str
    numbers: Callable[[ConfusionMatrix, Scores], Numbers]
    needs: str = ""
    headline: str = ""


def _mmseg(matrix: ConfusionMatrix, scores: Scores) -> Numbers:
    with np.errstate(invalid="ignore", divide="ignore"):
        f_score = 2 * scores.precision * scores.recall / (scores.precision + scores.recall)
    return {
        "aAcc": scores.pixel_accuracy,
        "mIoU": scores.miou,
        "mAcc": scores.mean_recall,
        "mDice": scores.mean_dice,
        "mFscore": mean(f_score),
        "mPrecision": scores.mean_precision,
        "mRecall": scores.mean_recall,
    }


def _hf(matrix: ConfusionMatrix, scores: Scores) -> Numbers:
    return {
        "mean_iou": scores.miou,
        "mean_accuracy": scores.mean_recall,
        "overall_accuracy": scores.pixel_accuracy,
    }


def _torchmetrics(matrix: ConfusionMatrix, scores: Scores) -> Numbers:
    same, rows, columns = matrix.sums(Policy())
    weighted = (
        float((rows * np.nan_to_num(scores.iou)).sum() / rows.sum()) if rows.sum() else float("nan")
    )
    return {
        "MulticlassJaccardIndex macro": scores.miou,
        "MulticlassJaccardIndex weighted": weighted,
        "MulticlassRecall macro": _macro(same, rows, columns),
    }


def _macro(same: Any, rows: Any, columns: Any) -> float:
    recall = np.nan_to_num(ratio(same, rows))
    return float(recall[(rows + columns) > 0].mean()) if (rows + columns).any() else float("nan")


def _bubbliiiing(matrix: ConfusionMatrix, scores: Scores) -> Numbers:
    same, rows, columns = matrix.sums(Policy())
    smooth = 1e-5
    f_score = (2 * same + smooth) / (rows + columns + smooth)
    return {
        "mIoU": scores.miou,
        "mPA": float(scores.recall.mean()),
        "Precision": float(scores.precision.mean()),
        "Accuracy": scores.pixel_accuracy,
        "f_score": float(f_score.mean()),
    }


def _divamgupta(matrix: ConfusionMatrix, scores: Scores) -> Numbers:
    same, rows, columns = matrix.sums(TOOLS["divamgupta"].policy)
    wise = same / (rows + columns - same + 1e-12)
    return {
        "mean_IU": float(wise.mean()),
        "frequency_weighted_IU": (
            float((wise * rows).sum() / rows.sum()) if rows.sum() else float("nan")
        ),
    }


def _unetpp(matrix: ConfusionMatrix, scores: Scores) -> Numbers:
    return {}


def _wz(matrix: ConfusionMatrix, scores: Scores) -> Numbers:
    absent = bool((scores.pixels == 0).any())
    return {
        "global correct": scores.pixel_accuracy,
        "mean average row correct": float("nan") if absent else scores.mean_recall,
        "mean IoU": scores.miou,
    }


def _isbi(matrix: ConfusionMatrix, scores: Scores) -> Numbers:
    return {"pixel error": 1 - scores.pixel_accuracy}


def _sceneparsing(matrix: ConfusionMatrix, scores: Scores) -> Numbers:
    return {
        "Mean IoU": scores.miou,
        "Pixel Accuracy": scores.pixel_accuracy,
        "Final score": (scores.miou + scores.pixel_accuracy) / 2,
    }


def _pascal(matrix: ConfusionMatrix, scores: Scores) -> Numbers:
    return {"average accuracy": scores.miou, "overall accuracy": scores.pixel_accuracy}


def _cityscapes(matrix: ConfusionMatrix, scores: Scores) -> Numbers:
    return {"averageScoreClasses": scores.miou}


TOOLS: Mapping[str, ScoreDefinition] = {
    "mmseg": ScoreDefinition(
        Policy(),
        "as ours; its percentages are rounded to two digits, and a predicted id outside the classes"
        " is a miss, not an error. mFscore leaves out classes that were never predicted or never"
        " occur, mDice counts them 0.",
        _mmseg,
    ),
    "hf": ScoreDefinition(
        Policy(),
        "Hugging Face evaluate's mean_iou: as ours; a predicted id outside the classes is a miss,"
        " not an error. Its ignore_index may name a class, which turns IoU into recall: not"
        " reproduced.",
        _hf,
    ),
    "torchmetrics": ScoreDefinition(
        Policy(),
        "MulticlassJaccardIndex(average='macro'): as ours over one matrix. Its MeanIoU is another"
        " number, given beside it: the mean of the IoU of every class in every image where it"
        " occurs.",
        _torchmetrics,
        "samples",
    ),
    "bubbliiiing": ScoreDefinition(
        Policy("zero"),
        "all classes are averaged, background included; a class that neither side has counts 0."
        " Per-class f_score is taken here over all images at once, there per batch.",
        _bubbliiiing,
    ),
    "divamgupta": ScoreDefinition(
        Policy("zero", ignored_as=0),
        "image-segmentation-keras' evaluate: ignored truth pixels count as class 0, an absent class"
        " counts 0 (1e-12 in each denominator). It scores at the network's output size; here at the"
        " size of the truth.",
        _divamgupta,
    ),
    "unetpp": ScoreDefinition(
        Policy(),
        "pytorch-nested-unet's iou_score: the classes from 1 on as one foreground, 1e-5 added to"
        " both sides, per batch of 16 images in the order listed, then the mean over the batches"
        " weighted by their size.",
        _unetpp,
        "batches",
        "iou",
    ),
    "wz": ScoreDefinition(
        Policy("undefined"),
        "WZMIAOMIAO's unet: the mean over all classes is NaN as soon as one is absent. Dice: per"
        " image over the classes from 1 on (empty on both sides = 1), then the mean over the"
        " images.",
        _wz,
        "dice",
    ),
    "isbi": ScoreDefinition(
        Policy(),
        "ISBI 2012: pixel error is 1 - pixel accuracy; Rand error is 1 - the F-score of pixel pairs"
        " in one cell, where cells are the 4-connected regions of class 0 and truth borders are"
        " skipped; mean over the images. The warping error is not reproduced. mIoU is ours.",
        _isbi,
        "segments",
    ),
    "sceneparsing": ScoreDefinition(
        Policy("zero", excluded=(0,), void=(0,)),
        "MIT's ADE20K benchmark: label 0 is unlabeled, its truth pixels are dropped and it is not"
        " averaged; of the others, absent ones count 0.",
        _sceneparsing,
    ),
    "pascal": ScoreDefinition(
        Policy("undefined"),
        "VOCdevkit's VOCevalseg: 255 dropped, background averaged too; 0/0 of a class that neither"
        " side has makes the mean NaN. Its figures are percentages.",
        _pascal,
    ),
    "cityscapes": ScoreDefinition(
        Policy(),
        "evalPixelLevelSemanticLabeling: as ours; a prediction of an ignored label is a miss, and"
        " classes given with --exclude-class are ignored in the truth too. iIoU, which needs"
        " instances, is not reproduced.",
        _cityscapes,
    ),
}


def tool(name: str) -> ScoreDefinition:
    """The definition called *name*. Raises UsageError."""
    if name not in TOOLS:
        raise UsageError(
            "bad-option", f"--compat {name}: no such tool", f"known: {', '.join(TOOLS)}"
        )
    return TOOLS[name]
