"""Weights that a run begins with: from a file, or from an address with their hash; a checkpoint of segprep's own is recognised."""

import os
from pathlib import Path

from torch import nn

from ...errors import SegprepError, UsageError
from ...settings import Config
from .. import checkpoints, weights


def pretrained(network: nn.Module, config: Config) -> list[str]:
    """Load ``config.weights`` into *network*; what became of them, as notes.

    Raises UsageError (bad-option: an address without sha256), SegprepError: other-network (a checkpoint of segprep's of another one), weights-hash,
    weights-refused, bad-weights, weights-no-match, download-failed …
    """
    address = config.weights.startswith(("http://", "https://"))
    if address and not config.sha256:
        raise UsageError("bad-option", f"{config.weights} without its hash", "give --sha256, so that nobody can put other weights in its place")
    path = weights.fetch(config.weights, config.sha256, folder()) if address else Path(config.weights)
    tensors = weights.read(path, config.sha256 or None)
    found = checkpoints.read(path)
    if found.get("kind") == checkpoints.KIND and found.get("arch") != config.arch:
        raise SegprepError(
            "other-network", f"{path} is a checkpoint of the network {found.get('arch')}, this run trains {config.arch}", f"give --arch {found.get('arch')}"
        )
    report = weights.load(network, tensors)
    return [f"{config.weights}: {report}", *(f"not loaded: {text}" for text in report.reshaped[:3])]


def folder() -> Path:
    """Where fetched weights are kept: below $XDG_CACHE_HOME or ~/.cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "segprep" / "weights"
