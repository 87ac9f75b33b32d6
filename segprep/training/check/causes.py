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
# Of a shift: cells of the grid, standard errors by edges or colors and by both together, ranks.
CELLS, EACH, BOTH, FITS = 2, 2.0, 7.0, 0.6
# By edges alone, where colors tell little, further away than outlines are drawn too wide.
FAR, CERTAIN, SURE, BETTER = 5, 4.0, 0.8, 0.1
# Masks of other images fit an image as well as its own, by edges and by colors.
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
    moved, turned = _moved(alignment), _turned(alignment)
    if turned > moved:
        text = (
            "the masks' borders fit the edges of their images only when the masks are"
            f" {alignment.turn}"
        )
        return [Reason("misaligned", text, "doubtful")]
    if moved:
        text = (
            "the masks' borders fit the edges of their images only when moved by"
            f" {_way(alignment)}: image and mask are shifted against each other"
        )
        return [Reason("misaligned", text, "doubtful")]
    if alignment.images >= LEAST and max(alignment.rank, alignment.told_rank) < UNRELATED:
        text = (
            "the masks' borders fit the edges of other images as well as those of their own"
            f" (rank {alignment.rank:.2f}, chance is 0.50): masks and images may be paired wrongly"
        )
        return [Reason("masks-unrelated", text, "doubtful")]
    return []


def _moved(alignment: Alignment) -> float:
    """How sure a shift is, in standard errors; 0 where there is none."""
    cells = max(map(abs, alignment.shift)) * GRID
    edges, colors, rank = alignment.moved_gain, alignment.moved_told, alignment.moved_rank
    if cells < CELLS or rank < alignment.rank:
        return 0.0
    alone = cells >= FAR and edges > CERTAIN and rank > max(SURE, alignment.rank + BETTER)
    return edges + max(colors, 0.0) if alone or _both(edges, colors, rank) else 0.0


def _turned(alignment: Alignment) -> float:
    """The same of a mirroring or a turn."""
    edges, colors, rank = alignment.turned_gain, alignment.turned_told, alignment.turned_rank
    if rank < alignment.rank + BETTER:
        return 0.0
    alone = edges > CERTAIN and rank > SURE
    return edges + max(colors, 0.0) if alone or _both(edges, colors, rank) else 0.0


def _both(edges: float, colors: float, rank: float) -> bool:
    return min(edges, colors) > EACH and edges + colors > BOTH and rank > FITS


def _way(alignment: Alignment) -> str:
    """The shift in words: 5% of the height up and 2% of the width left."""
    return " and ".join(
        f"{abs(share):.0%} of the {side} {way[share > 0]}"
        for share, side, way in zip(
            alignment.shift, ("height", "width"), (("up", "down"), ("left", "right")), strict=True
        )
        if abs(share) > 1 / GRID
    )
