"""Frames for images of any size, and from scores per class to a mask at the image's own size."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from segprep.training.data.pairs import InputSpec, padding

STEP = 32  # sides of frames are multiples of it: as often as networks halve


def framed(values: Tensor, view: InputSpec, dtype: np.dtype[Any]) -> tuple[Tensor, int, int]:
    """*values* (3, h, w) on a frame of padding, as in training, and where its upper left corner
    lies.

    A letterboxed image gets its square; any other at least a window, with sides that are multiples
    of STEP.
    """
    height, width = values.shape[1:]
    if view.scale is None:
        rows = columns = view.size
    else:
        rows, columns = (max(view.size, side + -side % STEP) for side in (height, width))
    frame = torch.from_numpy(padding(view, dtype))[:, None, None].repeat(1, rows, columns)
    corner = view.corner and view.scale is None
    top, left = (0, 0) if corner else ((rows - height) // 2, (columns - width) // 2)
    frame[:, top : top + height, left : left + width] = values
    return frame, top, left


def likeliest(scores: Tensor) -> NDArray[np.uint8]:
    """(h, w) the class of the largest of (C, h, w), the first of equal ones: an argmax over few
    classes, at a tenth of its cost. A single logit is for the second of two classes.
    """
    values = scores.numpy()
    if len(values) == 1:
        return np.asarray(values[0] > 0, np.uint8)
    top, best = values[0].copy(), np.zeros(values.shape[1:], np.uint8)
    for n in range(1, len(values)):
        best[values[n] > top] = n
        np.maximum(top, values[n], out=top)
    return best


def mask_of(scores: Tensor, size: tuple[int, int]) -> NDArray[np.uint8]:
    """The likeliest class (H, W) at *size*, of probabilities (C, h, w), interpolated first."""
    return likeliest(resized(scores, size))


def resized(scores: Tensor, size: tuple[int, int]) -> Tensor:
    """(C, h, w) at *size*, (C, H, W): linear between the centers of pixels."""
    if tuple(scores.shape[1:]) == tuple(size):
        return scores
    return functional.interpolate(scores[None], size, mode="bilinear", align_corners=False)[0]
