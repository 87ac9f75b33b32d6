"""Optimizers by name: ``sgd``, ``adam``, ``adamw``, ``rmsprop``. The learning rate is set before
every step by the schedule, so it is the one that is asked for.
"""

from collections.abc import Callable, Iterable, Mapping

import torch
from torch import nn
from torch.optim import Optimizer

from segprep.errors import UsageError
from segprep.names import unknown
from segprep.train_config import Config

Parameters = Iterable[nn.Parameter]
OPTIMIZERS: Mapping[str, Callable[[Parameters, Config], Optimizer]] = {
    "sgd": lambda parameters, config: torch.optim.SGD(
        parameters,
        config.lr,
        config.momentum,
        weight_decay=config.weight_decay,
        nesterov=config.nesterov,
    ),
    "adam": lambda parameters, config: torch.optim.Adam(
        parameters, config.lr, (config.momentum, 0.999), weight_decay=config.weight_decay
    ),
    "adamw": lambda parameters, config: torch.optim.AdamW(
        parameters, config.lr, (config.momentum, 0.999), weight_decay=config.weight_decay
    ),
    "rmsprop": lambda parameters, config: torch.optim.RMSprop(
        parameters, config.lr, momentum=config.momentum, weight_decay=config.weight_decay
    ),
}


def check_name(name: str) -> None:
    """Raise UsageError (bad-option) with the nearest name unless *name* is an optimizer."""
    if name not in OPTIMIZERS:
        raise UsageError("bad-option", *unknown("optimizer", name, OPTIMIZERS))


def make(config: Config, parameters: Parameters) -> Optimizer:
    """The optimizer of *config* over *parameters*; one without gradient (frozen) is left alone,
    also by weight decay.

    ``momentum`` is Adam's first beta; ``weight_decay`` is added to the gradient, with adamw it
    shrinks the weights themselves (Loshchilov and Hutter 2017, arXiv:1711.05101). Raises UsageError
    (bad-option): unknown name, nesterov without sgd or momentum.
    """
    check_name(config.optimizer)
    if config.nesterov and (config.optimizer != "sgd" or config.momentum == 0):
        reason = f"nesterov with the optimizer {config.optimizer} and momentum {config.momentum:g}"
        raise UsageError("bad-option", reason, "it is for sgd with a momentum")
    return OPTIMIZERS[config.optimizer](parameters, config)
