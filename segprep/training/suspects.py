"""Which masks does the model disagree with most? Ranked so that the likely mislabelled ones stand first.

A model that was trained on a few wrong masks among many right ones has learnt the right ones; where it is sure and the mask says
otherwise, the mask is suspect (the idea of confident learning: Northcutt, Jiang and Chuang 2021, arXiv:1911.00068).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ..types import IGNORE


@dataclass(frozen=True, slots=True)
class Suspect:
    """One sample: *score* 0 (mask and model agree) to 1, its *iou*, and whether the model saw it in *training*."""

    stem: str
    score: float
    iou: float
    training: bool


def disagreement(found: Tensor, mask: NDArray[np.uint8]) -> tuple[float, float]:
    """(score, mean IoU) of *mask* (h, w) against probabilities (C, h, w); (0, 1) where every pixel is ignored."""
    valid = mask != IGNORE
    if not valid.any():
        return 0.0, 1.0
    probability = found.numpy()[:, valid]  # (C, n)
    truth, guess = mask[valid], probability.argmax(0)
    classes = np.unique(np.concatenate([truth, guess]))
    unions = [((truth == c) | (guess == c)).sum() for c in classes]
    iou = float(np.mean([((truth == c) & (guess == c)).sum() / union for c, union in zip(classes, unions, strict=True)]))
    return 1.0 - iou, iou
