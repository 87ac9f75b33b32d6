"""The network of a run, on its device, with the weights that it begins with."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from ...settings import Config
from .. import models
from ..checkpoints import channels_last
from ..weights import freeze, unfreeze
from .advice import about_network
from .distributed import Group
from .pretrained import pretrained


def options_of(config: Config) -> Mapping[str, Any]:
    """What the network's ``build`` is given: its preset's options, and the run's over them."""
    preset = models.presets(config.arch)[config.preset].options if config.preset else {}
    return {**preset, **config.options}


def build(config: Config, classes: int, group: Group, *, fresh: bool) -> tuple[nn.Module, list[str]]:
    """The network and notes on it; pretrained weights are read if the run is *fresh*, for otherwise its own will follow.

    Raises UsageError (bad-option, also for stages that it cannot freeze), SegprepError: weights-hash, weights-no-match, other-network …
    """
    torch.manual_seed(config.seed)
    network, notes = models.build(config.arch, 3, classes, **options_of(config)), list[str]()
    if config.freeze:  # tried early
        freeze(network, None if config.freeze == "all" else int(config.freeze))
        unfreeze(network)
    if config.weights and fresh:
        notes += group.decided(lambda: pretrained(network, config))
    notes += about_network(network, config)
    if config.sync_bn and group.world > 1:
        network = nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
    return channels_last(network, group.device) if config.channels_last else network.to(group.device), notes
