"""Losses by name: ``ce``, ``focal``, ``dice``, ``bce``, ``bce-dice``, ``lovasz``, ``lovasz-hinge``,
and their sums (``focal+dice``).

    >>> loss = make("ce+dice", 2)
    >>> float(loss(torch.zeros(1, 2, 8, 8), torch.zeros(1, 8, 8, dtype=torch.int64)))
    1.026480...

Dice is the mean over the classes that occur in the batch's ground truth. Two tutorials count
otherwise: ``dice-all`` is the mean over all classes, of which an absent one that is not predicted
scores 1 (bubbliiiing); ``dice-image`` the same for each image by itself (pytorch_segmentation).

Each takes logits (N, C, H, W) float and truth (N, H, W) int64 with 255 for ignored pixels, which
count nowhere: a perfect prediction loses nothing whatever is ignored, and where everything is
ignored the loss is 0 with a gradient of 0.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from segprep.errors import UsageError
from segprep.names import unknown
from segprep.training.losses.lovasz import against_rest, lovasz_hinge, lovasz_softmax
from segprep.types import IGNORE

Loss = Callable[..., Tensor]  # logits and truth; a made one takes pixels=, weights of ce


def pixel_cross_entropy(logits: Tensor, truth: Tensor) -> Tensor:
    """(N, H, W): the cross-entropy of every pixel, 0 where ignored."""
    return functional.cross_entropy(logits.float(), truth, ignore_index=IGNORE, reduction="none")


def cross_entropy(
    logits: Tensor, truth: Tensor, weights: Tensor | None = None, pixels: Tensor | None = None
) -> Tensor:
    """Sum of w_class * cross-entropy over the sum of w_class; *pixels* (N, H, W), such as
    :func:`.borders.border_weights`, multiply the upper sum only.

    So a map of ones changes nothing, and a map of twos doubles the loss.
    """
    each = pixel_cross_entropy(logits, truth)
    return _mean(each if pixels is None else each * pixels, truth, weights)


def focal(
    logits: Tensor,
    truth: Tensor,
    weights: Tensor | None = None,
    alpha: float = 0.5,
    gamma: float = 2.0,
) -> Tensor:
    """Alpha * (1 - p)**gamma * cross-entropy (Lin et al. 2017, arXiv:1708.02002), p being the
    probability of the true class.

    *weights* of classes do not enter p. With *alpha* 1 and *gamma* 0 it is :func:`cross_entropy`.
    """
    each = pixel_cross_entropy(logits, truth)
    missed = (-torch.expm1(-each)).clamp(min=1e-12)  # 1 - p; its root has no gradient at 0
    return alpha * _mean(missed**gamma * each, truth, weights)


def dice_loss(
    logits: Tensor,
    truth: Tensor,
    smooth: float = 1e-5,
    per_image: bool = False,
    weights: Tensor | None = None,
    absent: bool = False,
) -> Tensor:
    """1 - mean Dice of the softmax over the classes that occur in the ground truth, with *absent*
    over all; pooled over the batch or *per_image*.

    Dice = (2 tp + smooth) / (2 tp + fn + fp + smooth), so a class that neither occurs nor is
    predicted has 1. 0 where every pixel is ignored. *weights* of classes weigh the mean.
    """
    valid = (truth != IGNORE)[:, None]
    predicted = torch.softmax(logits.float(), 1) * valid  # (N, C, H, W)
    true = against_rest(truth, logits.shape[1])
    over = (2, 3) if per_image else (0, 2, 3)
    scores = _dice(predicted, true, over, smooth)  # (N, C) or (C,)
    share = torch.ones_like(scores) if weights is None else weights.expand_as(scores)
    if not absent:
        share = share * true.sum(over).bool()
    return ((1 - scores) * share).sum() / share.sum().clamp(min=1e-9)


def bce(logits: Tensor, truth: Tensor, weights: Tensor | None = None) -> Tensor:
    """Binary cross-entropy of the sigmoid, each class against the rest, mean over the counted
    pixels and the classes (weighed by *weights*).

    A single logit is for class 1.
    """
    true = against_rest(truth, logits.shape[1]).float()
    # (N, C, H, W)
    each = functional.binary_cross_entropy_with_logits(logits.float(), true, reduction="none")
    share = torch.ones(logits.shape[1], device=logits.device) if weights is None else weights
    valid = truth != IGNORE
    total_share = (valid.sum() * share.sum()).clamp(min=1e-9)
    return (each * share[:, None, None] * valid[:, None]).sum() / total_share


def bce_dice(
    logits: Tensor, truth: Tensor, weights: Tensor | None = None, smooth: float = 1e-5
) -> Tensor:
    """Half of :func:`bce`, and 1 - mean Dice over images, all classes in one sum."""
    valid = (truth != IGNORE)[:, None]
    predicted = torch.sigmoid(logits.float()) * valid  # (N, C, H, W)
    true = against_rest(truth, logits.shape[1])
    overlap = _dice(predicted, true, (1, 2, 3), smooth).mean()
    return 0.5 * bce(logits, truth, weights) + 1 - overlap


LOSSES: Mapping[str, Callable[..., Tensor]] = {
    "ce": cross_entropy,
    "focal": focal,
    "dice": dice_loss,
    "dice-all": partial(dice_loss, absent=True),
    "dice-image": partial(dice_loss, absent=True, per_image=True, smooth=1e-6),
    "bce": bce,
    "bce-dice": bce_dice,
    "lovasz": lovasz_softmax,
    "lovasz-hinge": lovasz_hinge,
}
UNWEIGHTED = ("lovasz", "lovasz-hinge")


def make(spec: str, classes: int, weights: Sequence[float] | None = None) -> Loss:
    """The loss that *spec* names, one of :data:`LOSSES` or several joined by ``+``; *weights* has
    one number per class.

    Raises UsageError (bad-option): unknown name, weights of another number than *classes*, negative
    or all 0, or for a loss that has none.
    """
    for name in names(spec):
        if name not in LOSSES:
            raise UsageError("bad-option", *unknown("loss", name, LOSSES))
        if classes == 1 and name in ("ce", "focal", "dice", "dice-all", "dice-image", "lovasz"):
            reason = f"the loss {name} compares classes, and the model has only one logit"
            raise UsageError("bad-option", reason, "use bce, bce-dice or lovasz-hinge")
        if weights is not None and name in UNWEIGHTED:
            raise UsageError(
                "bad-option", f"the loss {name} takes no class weights", "leave them out"
            )
    if weights is None:
        return partial(total, names(spec), {})
    if (
        len(weights) != classes
        or not all(math.isfinite(weight) and weight >= 0 for weight in weights)
        or not any(weights)
    ):
        reason = f"class weights {', '.join(map(str, weights))} for {classes} classes"
        raise UsageError("bad-option", reason, "give one per class, none negative, not all 0")
    return partial(total, names(spec), {"weights": torch.tensor(weights, dtype=torch.float32)})


def names(spec: str) -> list[str]:
    """The losses that *spec* adds up."""
    return [name.strip() for name in spec.split("+")]


def total(
    listed: Sequence[str],
    shared: Mapping[str, Tensor],
    logits: Tensor,
    truth: Tensor,
    pixels: Tensor | None = None,
) -> Tensor:
    """The sum of the *listed* losses, each with what is *shared*; *pixels* (N, H, W) weigh those of
    ``ce``.
    """
    given = {name: value.to(logits.device) for name, value in shared.items()}
    own = {} if pixels is None else {"ce": {"pixels": pixels}}
    parts = [LOSSES[name](logits, truth, **given, **own.get(name, {})) for name in listed]
    return torch.stack(parts).sum()


def supervised(loss: Loss, heads: Sequence[Tensor], truth: Tensor) -> Tensor:
    """The mean of *loss* over several *heads*, each logits (N, C, H, W)."""
    return torch.stack([loss(head, truth) for head in heads]).mean()


def without(truth: Tensor, classes: Sequence[int]) -> Tensor:
    """*truth* with the pixels of *classes* ignored: (0,) leaves the background out of a loss."""
    return truth.where(
        ~torch.isin(truth, torch.tensor(classes, dtype=truth.dtype, device=truth.device)),
        torch.full_like(truth, IGNORE),
    )


def _mean(each: Tensor, truth: Tensor, weights: Tensor | None) -> Tensor:
    valid = truth != IGNORE
    share = valid.to(each.dtype) if weights is None else weights[truth.where(valid, 0)] * valid
    return (each * share).sum() / share.sum().clamp(min=1e-9)


def _dice(predicted: Tensor, true: Tensor, over: tuple[int, ...], smooth: float) -> Tensor:
    above = 2 * (predicted * true).sum(over) + smooth
    return above / (true.sum(over) + predicted.sum(over) + smooth)
