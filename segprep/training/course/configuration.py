"""The settings of a training as one that can be carried out: every name in them exists."""

from collections.abc import Mapping
from typing import Any

from ...errors import UsageError
from ...names import nearest
from ...settings import MONITORS, NONE, Config, made
from .. import criteria, models
from . import bordered, optimisers, schedules


def settled(given: Mapping[str, Any]) -> Config:
    """A Config of *given* settings over the defaults, its names tried early: an hour is not spent before a typing error is found.

    Raises UsageError: unknown-setting, unknown-model, bad-option (type, range, an unknown name, two that exclude each other).
    """
    config = made(given)
    _names(config)
    return config


def _names(config: Config) -> None:
    if config.monitor not in MONITORS:
        like = nearest(config.monitor, MONITORS)
        raise UsageError(
            "bad-option", f"there is no number {config.monitor!r} to monitor", f"did you mean {like}?" if like else f"there are: {', '.join(MONITORS)}"
        )
    if config.val == NONE and config.monitor != "loss":
        raise UsageError("bad-option", f"monitor is {config.monitor}, but there is no validation", "monitor loss, or give a list to validate on")
    if config.preset and config.preset not in models.presets(config.arch):
        raise UsageError("bad-option", f"the network {config.arch} has no preset {config.preset!r}", f"it has: {', '.join(models.presets(config.arch))}")
    models.load(config.arch)
    criteria.make(config.loss, 2)
    bordered.check(config)
    optimisers.known(config.optimizer)
    schedules.make(config.schedule, 1.0, 1, 1)
    if config.freeze not in ("", "all") and not config.freeze.isdecimal():
        raise UsageError("bad-option", f"freeze is {config.freeze!r}", "a number of stages, or all")
    if config.freeze_epochs and not config.freeze:
        raise UsageError("bad-option", "freeze_epochs without freeze", "say which stages: freeze = all")
