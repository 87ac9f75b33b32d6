"""Losses that leave ignored pixels out everywhere, also out of Dice's sums."""

import torch
from torch import Tensor
from torch.nn import functional

from segprep.types import IGNORE


def cross_entropy(logits: Tensor, truth: Tensor, weights: Tensor | None = None) -> Tensor:
    """Mean over the pixels that are not ignored; 0 (with a gradient of 0) where all are.

    (N, C, H, W) float and (N, H, W) int64.
    """
    total = functional.cross_entropy(logits, truth, weights, ignore_index=IGNORE, reduction="sum")
    valid = truth != IGNORE
    counted = valid.sum() if weights is None else weights[truth[valid]].sum()
    return total / counted.clamp(min=1e-9)


def dice(probabilities: Tensor, truth: Tensor, smooth: float = 1.0) -> Tensor:
    """1 - mean Dice over the classes that occur in the batch, pooled over the batch (Milletari et
    al. 2016, arXiv:1606.04797, without squares).

    *probabilities* (N, C, H, W) sum to 1 over C, *truth* (N, H, W) int64. Ignored pixels count
    neither as predicted nor as true, so a perfect prediction has loss 0 whatever is ignored. 0
    where every pixel is ignored.
    """
    classes = probabilities.shape[1]
    valid = truth != IGNORE
    true = functional.one_hot(truth.where(valid, 0), classes).permute(0, 3, 1, 2) * valid[:, None]
    predicted = probabilities * valid[:, None]
    both, either = (predicted * true).sum((0, 2, 3)), (predicted + true).sum((0, 2, 3))
    present = true.sum((0, 2, 3)) > 0
    scores = (2 * both + smooth) / (either + smooth)
    return ((1 - scores) * present).sum() / present.sum().clamp(min=1)


def combined(logits: Tensor, truth: Tensor) -> Tensor:
    """Cross-entropy plus Dice of the softmax."""
    return cross_entropy(logits, truth) + dice(torch.softmax(logits, 1), truth)
