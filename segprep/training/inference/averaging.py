"""Averaging while predicting: an image turned and mirrored is the same scene, so the mean over its
versions errs less than any of them.
"""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

Average = Literal["none", "flips", "rotations", "all", "seven"]
# degrees counter-clockwise, and whether the columns are mirrored first
Version = tuple[float, bool]
VERSIONS: dict[str, tuple[Version, ...]] = {
    "none": ((0, False),),
    "flips": ((0, False), (0, True), (180, False), (180, True)),  # none, left-right, both, up-down
    "rotations": ((0, False), (90, False), (180, False), (270, False)),
    "all": tuple((turn, mirrored) for mirrored in (False, True) for turn in (0, 90, 180, 270)),
    "seven": tuple((360 * n / 7, False) for n in range(7)),  # as many as the U-Net paper has
}


def turned(image: NDArray[Any], version: Version) -> NDArray[Any]:
    """*image* (h, w, 3) in *version*: (h, w, 3), or (w, h, 3) after 90 or 270 degrees. Turned by
    other angles it is resampled on its own frame, and mirrored where the frame shows more.
    """
    angle, mirrored = version
    straight = image[:, ::-1] if mirrored else image
    if angle % 90:
        values = _rotated(straight.astype(np.float32), angle, "mirror")
        return (values if image.dtype == np.float32 else np.rint(values)).astype(image.dtype)
    return np.ascontiguousarray(np.rot90(straight, int(angle // 90)))


def turned_back(values: Tensor, version: Version) -> Tensor:
    """*values* (C, h', w') of an image in *version* as they lie in the image itself, (C, h, w);
    0 where the frame of a turned one showed nothing of it.
    """
    angle, mirrored = version
    if angle % 90:
        upright = torch.from_numpy(
            _rotated(values.numpy().transpose(1, 2, 0), -angle, "constant").transpose(2, 0, 1)
        )
    else:
        upright = torch.rot90(values, -int(angle // 90), (1, 2))
    return upright.flip(2) if mirrored else upright


def _rotated(values: NDArray[Any], angle: float, border: str) -> NDArray[Any]:
    """*values* (h, w, C) turned about their middle, linear between pixels."""
    return ndimage.rotate(values, angle, reshape=False, order=1, mode=border)  # type: ignore[no-any-return]


def averaged(
    predict: Callable[[list[NDArray[Any]]], list[Tensor]],
    images: list[NDArray[Any]],
    average: Average = "none",
) -> list[Tensor]:
    """The mean of what *predict* says of all versions of each of *images*: (C, h, w) each.
    *predict* maps images (h, w, 3) to probabilities (C, h, w).
    """
    versions = VERSIONS[average]
    sums: list[Tensor] = []
    for version in versions:
        parts = [
            turned_back(part, version)
            for part in predict([turned(image, version) for image in images])
        ]
        sums = [total + part for total, part in zip(sums, parts, strict=True)] if sums else parts
    if average == "seven":  # probabilities sum to 1 wherever a version shows the pixel
        return [total / total.sum(0) for total in sums]
    return [total / len(versions) for total in sums] if len(versions) > 1 else sums
