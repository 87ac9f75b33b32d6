"""The settings of a training as one that can be carried out: every name in them exists."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from segprep.errors import SegprepError, UsageError
from segprep.names import unknown
from segprep.train_config import MONITORS, NONE, Config, outputs
from segprep.train_settings import make_config
from segprep.training import losses, models
from segprep.training.trainer import border_windows, optimizers, schedules
from segprep.training.trainer.distributed import ProcessGroup
from segprep.training.weight_tables import where


def settled(settings: Mapping[str, Any]) -> Config:
    """A Config of *settings* over the defaults, its names checked early: an hour is not spent
    before a typing error is found.

    Raises UsageError: unknown-setting, unknown-model, bad-option (type, range, an unknown name, two
    that exclude each other).
    """
    config = make_config(settings)
    _names(config)
    return config


def _names(config: Config) -> None:
    if config.monitor not in MONITORS:
        raise UsageError("bad-option", *unknown("number to monitor", config.monitor, MONITORS))
    if config.val == NONE and config.monitor != "loss":
        reason = f"monitor is {config.monitor}, but there is no validation"
        raise UsageError("bad-option", reason, "monitor loss, or give a list to validate on")
    if config.preset and config.preset not in models.presets(config.arch):
        reason = f"the model {config.arch} has no preset {config.preset!r}"
        raise UsageError("bad-option", reason, f"it has: {', '.join(models.presets(config.arch))}")
    models.load(config.arch)
    _input(config)
    losses.make(config.loss, outputs(config.head, 2))
    border_windows.check(config)
    optimizers.check_name(config.optimizer)
    schedules.make(config, 1, 1)
    if config.freeze not in ("", "all") and not config.freeze.isdecimal():
        raise UsageError("bad-option", f"freeze is {config.freeze!r}", "a number of stages, or all")
    source = where(config.arch)
    if source and config.freeze not in ("", "0") and not config.weights:
        reason = f"freeze {config.freeze} without weights would freeze a backbone of random numbers"
        raise UsageError("bad-option", reason, source)
    if config.freeze_epochs and not config.freeze:
        raise UsageError(
            "bad-option", "freeze_epochs without freeze", "say which stages: freeze = all"
        )


def _input(config: Config) -> None:
    """Raise UsageError (bad-option) for channels that do not fit the rest."""
    for name, hint in (("in_channels", "--channels 1"), ("classes", "--classes, or --head")):
        if name in config.options:
            raise UsageError("bad-option", f"{name} is not an option of a model", f"give {hint}")
    if config.channels == 2:
        raise UsageError("bad-option", "channels is 2", "3 for color, 1 for gray")
    if config.channels == 1 and config.normalize in ("imagenet", "caffe") and not config.mean:
        reason = f"normalize {config.normalize} is for three channels"
        raise UsageError("bad-option", reason, "give --mean and --std")
    if not config.mean and not config.std:
        return
    if not len(config.mean) == len(config.std) == config.channels or min(config.std) <= 0:
        reason = f"mean {config.mean} and std {config.std} for {config.channels} channels"
        raise UsageError("bad-option", reason, "give a number per channel for both, std above 0")


def fit_classes(config: Config, names: Sequence[str]) -> None:
    """Raise UsageError (bad-option) where *config* does not fit the classes *names*."""
    if wrong := [class_id for class_id in config.skip_classes if class_id not in range(len(names))]:
        reason = f"skip_classes names {wrong[0]:g}, which is not a class"
        raise UsageError("bad-option", reason, f"0 to {len(names) - 1} are: {', '.join(names)}")
    if config.head == "sigmoid" and len(names) != 2:
        reason = f"head sigmoid decides between two classes; the dataset has {len(names)}"
        raise UsageError("bad-option", reason, "omit it: a logit per class")


def advised(config: Config, group: ProcessGroup, images: int) -> tuple[Config, list[str]]:
    """*config* without what this device does not have, and notes.

    Raises SegprepError (bad-option) for float16 on a CPU.
    """
    notes, batch = list[str](), config.batch * group.world
    if group.device == "cpu":
        if config.amp == "float16":
            raise SegprepError(
                "bad-option", "amp float16 needs a GPU", "leave it out; on a CPU it would be slower"
            )
        if config.amp == "bfloat16":
            notes.append(
                "mixed precision on a CPU without hardware for it takes about twice as long as amp"
                " none"
            )
        if config.compile:
            notes.append("compile was skipped: on a CPU it takes longer than it saves")
        if config.sync_bn:
            notes.append("sync_bn was skipped: PyTorch has it on GPUs only")
        config = replace(config, compile=False, sync_bn=False)
    if batch > images:
        notes.append(
            f"a batch of {batch} is more than the {images} images: some come several times in a"
            " step, augmented differently"
        )
    if group.world > 1:
        notes.append(f"{group.world} processes, {config.batch} crops each; lr is not scaled")
    return config, notes
