"""The verdict: does the network learn more from these labels than from labels that belong to other
images, and more than the majority class gives?

All comparisons are paired over images: a bootstrap draws images, with both scores of each, so that
easy and hard images weigh alike on both sides (Efron and Tibshirani 1993, chapter 13).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from segprep.training.data.pairs import ImagePair

Level = Literal["learnable", "undecided", "doubtful", "not_learnable"]
LEVELS: tuple[Level, ...] = get_args(Level)  # the best first
DRAWS = 2000
FEWEST = 4  # val images below which no interval means anything
UNRELATED = "masks-unrelated"
EXPLAIN = ("misaligned", "mixed-polarity", UNRELATED)  # causes of which the data alone tell
Counts = NDArray[np.int64]  # (N, C, C): one confusion matrix per image, rows are the truth


@dataclass(frozen=True, slots=True)
class Reason:
    """Why the verdict is what it is: *cause* a stable kebab-case word, *message* for a person,
    *level* the best verdict it allows.
    """

    cause: str
    message: str
    level: Level = "learnable"


@dataclass(frozen=True, slots=True)
class Gap:
    """How much better one prediction is than another on the same images: pooled mIoU difference and
    its 95 % bootstrap interval.
    """

    value: float
    low: float
    high: float


def miou(matrix: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mean IoU over the classes that are true or predicted, (…, C, C) -> (…); 0 where there is
    none.
    """
    hit = np.diagonal(matrix, axis1=-2, axis2=-1)
    union = matrix.sum(-1) + matrix.sum(-2) - hit
    return np.asarray((hit / np.maximum(union, 1)).sum(-1) / np.maximum((union > 0).sum(-1), 1))


def score(counts: Counts) -> float:
    """The mean IoU of *counts*, pooled."""
    return float(miou(counts.sum(0)))


def majority(train: Sequence[ImagePair], counts: Counts) -> Counts:
    """The (N, C, C) of *counts* if the majority class of *train* were predicted everywhere."""
    classes = counts.shape[1]
    pixels = sum(np.bincount(pair.mask.reshape(-1), minlength=256)[:classes] for pair in train)
    baseline = np.zeros_like(counts)
    baseline[:, :, int(np.argmax(pixels))] = counts.sum(2)
    return baseline


def gap(better: Counts, worse: Counts, seed: int) -> Gap:
    """Paired bootstrap over images of ``miou(better) - miou(worse)``, pooled.

    With no image: zeros.
    """
    images = len(better)
    if not images:
        return Gap(0.0, 0.0, 0.0)
    value = float(miou(better.sum(0)) - miou(worse.sum(0)))
    # (DRAWS, N)
    weights = np.random.default_rng((seed, images)).multinomial(
        images, np.full(images, 1 / images), DRAWS
    )
    shape, flat = better.shape[1:], (-1, better.shape[1] ** 2)
    drawn = [
        (weights @ counts.reshape(images, -1)).reshape(flat).reshape(-1, *shape)
        for counts in (better, worse)
    ]
    low, high = np.quantile(miou(drawn[0]) - miou(drawn[1]), [0.025, 0.975])
    return Gap(value, float(low), float(high))


def compare(gaps: Mapping[str, Gap], images: int) -> list[Reason]:
    """What the three comparisons say: with the *control* at equal steps, with the majority class
    (*baseline*), and of each mask with other images' masks (*own*).
    """
    main, baseline, own = (gaps[name] for name in ("control", "baseline", "own"))
    if images < FEWEST:
        text = f"only {images} images to judge by; {FEWEST} are the least that allow a judgment"
        return [Reason("too-few-images", text, "doubtful")]
    reasons = []
    said = (
        f"against the control on the same images: mIoU {main.value:+.3f} (95 % interval"
        f" {main.low:+.3f} to {main.high:+.3f})"
    )
    if main.low <= 0:
        level: Level = "doubtful" if main.value > 0.02 and own.low > 0 else "not_learnable"
        text = f"the masks teach no more than masks of other images do; {said}"
        reasons.append(Reason("no-better-than-control", text, level))
    if own.low <= 0:
        text = (
            f"predictions fit the masks of other images as well as their own ({own.value:+.3f},"
            f" {own.low:+.3f} to {own.high:+.3f}): masks and images may be paired wrongly, or the"
            " labels do not show in the images"
        )
        reasons.append(Reason(UNRELATED, text, "not_learnable"))
    if baseline.low <= 0:
        text = (
            "the model is not clearly better than the majority class everywhere: mIoU"
            f" {baseline.value:+.3f} ({baseline.low:+.3f} to {baseline.high:+.3f})"
        )
        reasons.append(Reason("no-better-than-baseline", text, "doubtful"))
    return reasons or [Reason("learnable", said)]


def worst(reasons: Sequence[Reason]) -> Level:
    """The verdict that *reasons* leave."""
    return max((reason.level for reason in reasons), key=LEVELS.index, default="learnable")


def joined(data: Sequence[Reason], scores: Sequence[Reason]) -> list[Reason]:
    """What the *data* say by themselves, then what the *scores* do. Where the data explain why a
    network learns nothing (a shift, inverted masks, other images' masks), no other cause is named
    for it; its level is kept.
    """
    explained = next((reason for reason in data if reason.cause in EXPLAIN), None)
    if explained is None:
        return [*data, *scores]
    level = worst([explained, *(reason for reason in scores if reason.cause == UNRELATED)])
    return [
        *(replace(reason, level=level) if reason is explained else reason for reason in data),
        *(reason for reason in scores if reason.cause != UNRELATED),
    ]


def cut_short(reasons: Sequence[Reason], step: int, steps: int) -> list[Reason]:
    """What is left of the *reasons* that scores gave, of a run that time ended after *step* of
    *steps*, or that had too few: a clear success stands, anything else is undecided, and accuses
    nobody.
    """
    if worst(reasons) == "learnable":
        return list(reasons)
    if step == steps:
        text = f"after {steps} steps a model may not have begun to learn: give more --steps"
        return [Reason("too-few-steps", text, "undecided")]
    text = (
        f"--max-time ended the training after {step} of {steps} steps, before it could tell: give"
        " more time, or fewer --steps"
    )
    return [Reason("time-was-up", text, "undecided")]
