"""Averaging while predicting: an image turned and mirrored is the same scene, so the mean over its
versions errs less than any of them.
"""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Average = Literal["none", "flips", "rotations", "all"]
Version = tuple[
    int, bool
]  # quarter turns counter-clockwise, and whether the columns are mirrored first
VERSIONS: dict[str, tuple[Version, ...]] = {
    "none": ((0, False),),
    "flips": ((0, False), (0, True), (2, False), (2, True)),  # none, left-right, both, up-down
    "rotations": ((0, False), (1, False), (2, False), (3, False)),
    "all": tuple((turns, mirrored) for mirrored in (False, True) for turns in range(4)),
}


def turned(image: NDArray[Any], version: Version) -> NDArray[Any]:
    """*image* (h, w, 3) in *version*: (h, w, 3), or (w, h, 3) after 90 or 270 degrees."""
    turns, mirrored = version
    return np.ascontiguousarray(np.rot90(image[:, ::-1] if mirrored else image, turns))


def turned_back(logits: Tensor, version: Version) -> Tensor:
    """*logits* (C, h', w') of an image in *version* as it lies in the image itself, (C, h, w)."""
    turns, mirrored = version
    upright = torch.rot90(logits, -turns, (1, 2))
    return upright.flip(2) if mirrored else upright


def averaged(
    predict: Callable[[list[NDArray[Any]]], list[Tensor]],
    images: list[NDArray[Any]],
    average: Average = "none",
) -> list[Tensor]:
    """The mean of what *predict* says of all versions of each of *images*: (C, h, w) each.
    *predict* maps images (h, w, 3) to (C, h, w).
    """
    versions = VERSIONS[average]
    sums: list[Tensor] = []
    for version in versions:
        parts = [
            turned_back(part, version)
            for part in predict([turned(image, version) for image in images])
        ]
        sums = [total + part for total, part in zip(sums, parts, strict=True)] if sums else parts
    return [total / len(versions) for total in sums] if len(versions) > 1 else sums
