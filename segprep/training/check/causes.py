"""Reasons that the data or the trained network give, each in a sentence a person can act on."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segprep.training.check.alignment import GRID, Alignment
from segprep.training.check.sampling import FEWEST
from segprep.training.check.verdict import Counts, Reason, miou
from segprep.training.data.pairs import LabeledImage, nearest
from segprep.types import IGNORE

FEW_TRAIN = 3
TOLERATED = (
    4 / GRID
)  # a smaller shift is a matter of taste: trimaps and thick outlines peak beside zero
CERTAIN, FITS, BETTER = 5.0, 0.8, 0.1
# standard errors: after a small shift the masks still fit better than others do, though not where
# they lie
SURE = 12.0
SAMPLES = 64  # side of the pictures on which masks are compared


def of_numbers(train: int, val: int) -> list[Reason]:
    """Too few images to tell anything."""
    if train + val >= FEWEST and train >= FEW_TRAIN:
        return []
    text = (
        f"there are {train + val} images, {train} of them to train on; at least {FEWEST} and"
        f" {FEW_TRAIN} are needed to tell anything"
    )
    return [Reason("too-few-images", text, "not_learnable")]


def of_masks(pairs: Sequence[LabeledImage]) -> list[Reason]:
    """Reasons not to train at all: every pixel ignored, labels that never change.

    *pairs* are the train list.
    """
    values = set[int]()
    for pair in pairs:
        values |= set(np.unique(pair.mask).tolist())
    if values == {IGNORE}:
        return [
            Reason(
                "all-ignored",
                f"every pixel of all {len(pairs)} masks is {IGNORE}, which means ignored: there is"
                " nothing to learn",
                "not_learnable",
            )
        ]
    if len(values - {IGNORE}) == 1:
        only = next(iter(values - {IGNORE}))
        return [
            Reason(
                "labels-constant",
                f"every labeled pixel of all {len(pairs)} masks is class {only}: there is nothing"
                " to tell apart",
                "not_learnable",
            )
        ]
    small = np.stack([nearest(pair.mask, SAMPLES, SAMPLES) for pair in pairs])
    if float((small == small[:1]).mean()) > 0.995:
        return [
            Reason(
                "labels-constant",
                f"all {len(pairs)} masks show the same picture, whatever the image shows",
                "not_learnable",
            )
        ]
    return []


def of_val(pairs: Sequence[LabeledImage]) -> list[Reason]:
    """Nothing to score on the val list."""
    if any((pair.mask != IGNORE).any() for pair in pairs):
        return []
    return [
        Reason(
            "all-ignored",
            f"every pixel of all {len(pairs)} masks of the val list is {IGNORE}, which means"
            " ignored: nothing can be scored",
            "doubtful",
        )
    ]


def of_images(pairs: Sequence[LabeledImage]) -> list[Reason]:
    """Images that cannot teach: of one color each, or noise without any structure."""
    grays = [pair.image.astype(np.float64).mean(2) for pair in pairs]
    flat = sum(float(gray.std()) == 0 for gray in grays)
    if flat > len(grays) / 2:
        return [
            Reason(
                "images-constant",
                f"{flat} of {len(grays)} images are of one color all over",
                "doubtful",
            )
        ]
    likeness = float(np.median([_neighbors(gray) for gray in grays]))
    if likeness < 0.1:
        text = (
            f"neighboring pixels have nothing to do with each other (correlation {likeness:.2f}):"
            " the images are noise, or were decoded wrongly"
        )
        return [Reason("images-are-noise", text, "doubtful")]
    return []


def _neighbors(gray: NDArray[Any]) -> float:
    """Correlation of pixels two apart, along both axes: coding of colors or scaling ties nearest
    ones together.
    """
    pairs = [(gray[:-2], gray[2:]), (gray[:, :-2], gray[:, 2:])]
    values = [
        np.corrcoef(a.reshape(-1), b.reshape(-1))[0, 1]
        for a, b in pairs
        if a.size > 1 and a.std() > 0 and b.std() > 0
    ]
    return float(np.mean(values)) if values else 1.0


def of_alignment(alignment: Alignment) -> list[Reason]:
    """Masks that would fit the edges of their images only after a shift or a turn."""
    moved, turned = alignment.moved_rank - alignment.rank, alignment.turned_rank - alignment.rank
    shifted = (
        max(map(abs, alignment.shift)) > TOLERATED
        and alignment.gain > CERTAIN
        and alignment.moved_rank > FITS
        and (moved > BETTER or (moved >= 0 and alignment.gain > SURE))
    )
    if alignment.images < FEWEST:
        return []
    if (
        alignment.turned_gain > CERTAIN
        and alignment.turned_rank > FITS
        and turned > BETTER
        and not (shifted and alignment.gain > alignment.turned_gain)
    ):
        return [
            Reason(
                "misaligned",
                "the masks' borders fit the edges of their images only when the masks are"
                f" {alignment.turn}",
                "doubtful",
            )
        ]
    if shifted:
        words = [
            f"{abs(share):.0%} of the {side} {way[share > 0]}"
            for share, side, way in zip(
                alignment.shift,
                ("height", "width"),
                (("up", "down"), ("left", "right")),
                strict=True,
            )
            if abs(share) > 1 / GRID
        ]
        text = (
            "the masks' borders fit the edges of their images only when moved by"
            f" {' and '.join(words)}"
        )
        return [
            Reason(
                "misaligned", f"{text}: image and mask are shifted against each other", "doubtful"
            )
        ]
    return []


def of_scores(val: Counts, train: Counts, names: Sequence[str]) -> list[Reason]:
    """Classes that the network never finds, and scores on val far below those on train.

    (N, C, C) each.
    """
    reasons, total, seen = [], val.sum(0), train.sum(0)
    shares = total.sum(1) / max(int(total.sum()), 1)
    for n, name in enumerate(names):
        if total[n].sum() and not seen[n].sum():
            reasons.append(
                Reason(
                    "val-unlike-train",
                    f"class {name} occurs on the val list ({shares[n]:.1%} of its pixels) but not"
                    " on the train list",
                    "doubtful",
                )
            )
        elif total[n].sum() and not total[n, n]:
            level = "doubtful" if shares[n] >= 0.05 else "learnable"
            reasons.append(
                Reason(
                    "class-never-predicted",
                    f"class {name} ({shares[n]:.1%} of the pixels) is never predicted where it is",
                    level,  # type: ignore[arg-type]
                )
            )
    own, other = float(miou(seen)), float(miou(total))
    if len(train) and len(val) and other < 0.6 * own:
        text = (
            f"mIoU is {other:.2f} on the val list but {own:.2f} on the train list: the two may come"
            " from different sources, or the set is too small"
        )
        reasons.append(Reason("val-unlike-train", text, "doubtful"))
    return reasons
