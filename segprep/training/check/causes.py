"""Reasons that images and masks give by themselves, each in a sentence a person can act on."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segprep.training.check.alignment import GRID, Alignment
from segprep.training.check.sampling import FEWEST
from segprep.training.check.verdict import Reason
from segprep.training.data.pairs import ImagePair

FEW_TRAIN = 3
# In standard errors, ranks, and cells of the grid; measured on seven clean sets and their copies:
# shifted by 5 % the gain is 7.5 and more, clean 4.9 at most.
SHIFTED, CELLS = 7.0, 2
CERTAIN, FITS, BETTER = 5.0, 0.8, 0.1
# Masks of other images fit an image as well as its own: .31 to .54 on permuted sets, .82 and more
# on clean ones.
UNRELATED, LEAST = 0.65, 8


def of_numbers(train: int, val: int) -> list[Reason]:
    """Too few images to tell anything."""
    if train + val >= FEWEST and train >= FEW_TRAIN:
        return []
    text = (
        f"there are {train + val} images, {train} of them to train on; at least {FEWEST} and"
        f" {FEW_TRAIN} are needed to tell anything"
    )
    return [Reason("too-few-images", text, "not_learnable")]


def of_images(pairs: Sequence[ImagePair]) -> list[Reason]:
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
    """Masks that would fit the edges of their images only after a shift or a turn, or that fit
    those of other images as well.
    """
    if alignment.images < FEWEST:
        return []
    shifted = _shifted(alignment)
    if _turned(alignment) and not (shifted and alignment.gain > alignment.turned_gain):
        text = (
            "the masks' borders fit the edges of their images only when the masks are"
            f" {alignment.turn}"
        )
        return [Reason("misaligned", text, "doubtful")]
    if shifted:
        text = (
            "the masks' borders fit the edges of their images only when moved by"
            f" {_way(alignment)}: image and mask are shifted against each other"
        )
        return [Reason("misaligned", text, "doubtful")]
    near = max(map(abs, alignment.shift)) * GRID <= 2 * CELLS  # as of outlines drawn too wide
    fits = alignment.rank >= UNRELATED or (near and alignment.moved_rank > FITS)
    if not fits and alignment.images >= LEAST:
        text = (
            "the masks' borders fit the edges of other images as well as those of their own"
            f" (rank {alignment.rank:.2f}, chance is 0.50): masks and images may be paired wrongly"
        )
        return [Reason("masks-unrelated", text, "doubtful")]
    return []


def _turned(alignment: Alignment) -> bool:
    return (
        alignment.turned_gain > CERTAIN
        and alignment.turned_rank > FITS
        and alignment.turned_rank - alignment.rank > BETTER
    )


def _shifted(alignment: Alignment) -> bool:
    cells = max(map(abs, alignment.shift)) * GRID
    if cells < CELLS or alignment.moved_rank <= FITS or alignment.moved_rank < alignment.rank:
        return False
    if alignment.both_gain <= 0:
        return False
    far = cells > 2 * CELLS and alignment.moved_rank - alignment.rank > BETTER
    return alignment.gain > (CERTAIN if far else SHIFTED)


def _way(alignment: Alignment) -> str:
    """The shift in words: 5% of the height up and 2% of the width left."""
    return " and ".join(
        f"{abs(share):.0%} of the {side} {way[share > 0]}"
        for share, side, way in zip(
            alignment.shift, ("height", "width"), (("up", "down"), ("left", "right")), strict=True
        )
        if abs(share) > 1 / GRID
    )
