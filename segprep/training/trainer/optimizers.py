"""Optimizers by name: ``sgd``, ``adam``, ``adamw``, ``rmsprop``. The learning rate is set before
every step by the schedule, so it is the one that is asked for.
"""

from collections.abc import Callable, Iterable, Mapping

import torch
from torch import nn
from torch.optim import Optimizer

from segprep.errors import UsageError
from segprep.names import unknown

Parameters = Iterable[nn.Parameter]
OPTIMIZERS: Mapping[str, Callable[[Parameters, float, float, bool, float], Optimizer]] = {
    "sgd": lambda parameters, lr, momentum, nesterov, decay: torch.optim.SGD(
        parameters, lr, momentum, weight_decay=decay, nesterov=nesterov
    ),
    "adam": lambda parameters, lr, momentum, _, decay: torch.optim.Adam(
        parameters, lr, (momentum, 0.999), weight_decay=decay
    ),
    "adamw": lambda parameters, lr, momentum, _, decay: torch.optim.AdamW(
        parameters, lr, (momentum, 0.999), weight_decay=decay
    ),
    "rmsprop": lambda parameters, lr, momentum, _, decay: torch.optim.RMSprop(
        parameters, lr, momentum=momentum, weight_decay=decay
    ),
}


def check_name(name: str) -> None:
    """Raise UsageError (bad-option) with the nearest name unless *name* is an optimizer."""
    if name not in OPTIMIZERS:
        raise UsageError("bad-option", *unknown("optimizer", name, OPTIMIZERS))


def make(
    name: str,
    parameters: Parameters,
    lr: float,
    *,
    momentum: float = 0.9,
    nesterov: bool = False,
    weight_decay: float = 0.0,
) -> Optimizer:
    """The optimizer *name* over *parameters*; a parameter without gradient (frozen) is left alone,
    also by weight decay.

    *momentum* is Adam's first beta; *weight_decay* is added to the gradient, with adamw it shrinks
    the weights themselves (Loshchilov and Hutter 2017, arXiv:1711.05101). Raises UsageError
    (bad-option): unknown name, nesterov without sgd or momentum.
    """
    check_name(name)
    if nesterov and (name != "sgd" or momentum == 0):
        reason = f"nesterov with the optimizer {name} and momentum {momentum:g}"
        raise UsageError("bad-option", reason, "it is for sgd with a momentum")
    return OPTIMIZERS[name](parameters, lr, momentum, nesterov, weight_decay)
