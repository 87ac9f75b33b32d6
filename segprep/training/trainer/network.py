"""The network of a run, on its device, with the weights that it begins with."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from segprep.errors import SegprepError, UsageError
from segprep.train_config import Config, outputs
from segprep.training import checkpoints, models, pretrained
from segprep.training.checkpoints import Checkpoint, channels_last
from segprep.training.data.pairs import InputSpec
from segprep.training.freezing import freeze, unfreeze
from segprep.training.trainer.distributed import ProcessGroup
from segprep.training.weight_tables import SOURCES, where


def options_of(config: Config) -> Mapping[str, Any]:
    """What the network's ``build`` is given: its preset's options, and the run's over them."""
    preset = models.presets(config.arch)[config.preset].options if config.preset else {}
    depth = {"depth": config.depth} if config.depth else {}
    return {**preset, **config.options, **depth}


def build(
    config: Config, classes: int, group: ProcessGroup, *, fresh: bool
) -> tuple[nn.Module, list[str], str]:
    """The network, notes on it, and what became of each pretrained tensor; these are read if the
    run is *fresh*, for otherwise its own will follow.

    Raises UsageError (bad-option, also for stages that it cannot freeze), SegprepError:
    weights-hash, weights-no-match, other-network …
    """
    torch.manual_seed(config.seed)
    network, notes, keys = network_of(config, classes), list[str](), ""
    if config.freeze:  # tried early
        freeze(network, None if config.freeze == "all" else int(config.freeze))
        unfreeze(network)
    if config.weights and fresh:
        report = group.decided(lambda: load_weights(network, config))
        notes += [f"{config.weights}: {report}"]
        notes += [f"not loaded: {text}" for text in report.reshaped[:3]]
        keys = report.table()
    notes += about_network(network, config)
    if config.sync_bn and group.world > 1:
        network = nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
    if config.channels_last:
        return channels_last(network, group.device), notes, keys
    return network.to(group.device), notes, keys


def network_of(config: Config, classes: int) -> nn.Module:
    """The network that *config* names, with random weights."""
    count = outputs(config.head, classes)
    return models.build(config.arch, config.channels, count, **options_of(config))


def checkpoint_of(
    config: Config, names: tuple[str, ...], view: InputSpec, weights: Mapping[str, Tensor]
) -> Checkpoint:
    """The checkpoint of a network of *config* for the classes *names* with these *weights*."""
    return Checkpoint(config.arch, options_of(config), names, view, weights, config.head)


def load_weights(network: nn.Module, config: Config) -> pretrained.WeightsReport:
    """Load ``config.weights`` into *network*; what became of them.

    Raises UsageError (bad-option: an address without sha256), SegprepError: other-network (a
    checkpoint of segprep's of another one), weights-hash, weights-refused, bad-weights,
    weights-no-match, download-failed …
    """
    name = config.weights
    address = name.startswith(("http://", "https://"))
    if address and not config.sha256:
        digest = next((f" {own}" for _, url, own in SOURCES.values() if url == name), "")
        hint = f"give --sha256{digest}, so that nobody can put other weights in its place"
        raise UsageError("bad-option", f"{name} without its hash", hint)
    if not address and not Path(name).exists():
        source = where(config.arch) or "what segprep train or torch.save wrote"
        raise SegprepError("unreadable", f"there is no file {name}", f"weights are {source}")
    path = pretrained.fetch(name, config.sha256, folder()) if address else Path(name)
    content = pretrained.content(path, config.sha256 or None)
    own = isinstance(content, dict) and content.get("kind") == checkpoints.KIND
    if own and (arch := content.get("arch")) != config.arch:
        reason = f"{path} is a checkpoint of the model {arch}, this run trains {config.arch}"
        raise SegprepError("other-network", reason, f"give --arch {arch}")
    return pretrained.load(network, pretrained.tensors(content, path))


def folder() -> Path:
    """Where fetched weights are kept: below $XDG_CACHE_HOME or ~/.cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "segprep" / "weights"


def about_network(network: nn.Module, config: Config) -> list[str]:
    """Notes on *network* with these settings."""
    normalizes = any(isinstance(module, nn.BatchNorm2d) for module in network.modules())
    notes = []
    if config.batch == 1 and normalizes and not config.freeze_norm:
        notes.append(
            "batch normalization sees one image at a time: its statistics are noisy; a larger"
            " --batch or --freeze-norm is steadier"
        )
    if not config.weights and (source := where(config.arch)):
        notes.append(f"the backbone begins with random weights; pretrained ones are {source}")
    return notes
