"""The Lovász losses (Berman, Triki and Blaschko 2018, arXiv:1705.08790): a convex stand-in for the
Jaccard index itself.

For hard predictions both are 1 - IoU. Ignored pixels are taken out before anything is sorted.
"""

import torch
from torch import Tensor
from torch.nn import functional

from segprep.types import IGNORE


def lovasz_softmax(logits: Tensor, truth: Tensor) -> Tensor:
    """Mean over the classes that occur in the batch, pooled over it; 0 where every pixel is
    ignored.

    (N, C, H, W) float logits and (N, H, W) int64.
    """
    valid = truth != IGNORE
    probabilities = torch.softmax(logits.float(), 1).movedim(1, -1)[valid]  # (P, C)
    true = functional.one_hot(truth[valid], logits.shape[1]).to(probabilities.dtype)  # (P, C)
    if not len(true):
        return probabilities.sum()
    errors, order = (true - probabilities).abs().sort(dim=0, descending=True)
    losses = (errors * _steps(true.gather(0, order))).sum(0)  # (C,)
    counted = true.any(0)
    return (losses * counted).sum() / counted.sum()


def lovasz_hinge(logits: Tensor, truth: Tensor) -> Tensor:
    """Mean over the images and over the logits, each against the rest; an image without counted
    pixels gives 0.

    (N, C, H, W) float logits and (N, H, W) int64: logit c is for class c, and a single one for
    class 1.
    """
    one_hot = against_rest(truth, logits.shape[1]).float()  # (N, C, H, W)
    valid = truth != IGNORE
    parts = zip(*(torch.split(part, 1) for part in (logits.float(), one_hot, valid)), strict=True)
    return torch.stack([_hinge(*part) for part in parts]).mean()


def against_rest(truth: Tensor, classes: int) -> Tensor:
    """(N, H, W) int64 -> (N, classes, H, W) bool; a single channel is class 1, as in a binary set.

    Ignored pixels are of no class.
    """
    ids = torch.arange(classes, device=truth.device) if classes > 1 else truth.new_ones(1)
    return truth[:, None] == ids[:, None, None]


def _hinge(logits: Tensor, one_hot: Tensor, valid: Tensor) -> Tensor:
    scores, true = logits.movedim(1, -1)[valid], one_hot.movedim(1, -1)[valid]  # (P, C)
    if not len(true):
        return scores.sum()
    errors, order = (1 - scores * (2 * true - 1)).sort(dim=0, descending=True)
    return (functional.relu(errors) * _steps(true.gather(0, order))).sum(0).mean()


def _steps(true: Tensor) -> Tensor:
    """(P, C) of 0 and 1 in the order of errors -> how much the loss grows with each."""
    left = true.sum(0) - true.cumsum(0)  # truth that is still found
    union = true.sum(0) + (1 - true).cumsum(0)
    lost = 1 - left / union
    return torch.cat([lost[:1], lost[1:] - lost[:-1]])
