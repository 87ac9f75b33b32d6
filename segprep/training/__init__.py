"""The only rooms where PyTorch may be imported.

    Config -> data -> augmentation -> model -> loss -> step -> validation -> checkpoint

Config                 the settings: segprep.train_config, read by segprep.train_settings
data                   lists, image and mask pairs, tensors; torch_dataset for other loops
augmentation           what happens to a pair before the network sees it
models                 one network per file
losses                 one loss room, one Dice
inference              one way from an image to logits, for validation, check and predict
trainer                step, schedules, validation, checkpoints, resume: fit() in one call
check                  train-check: the trainer with a control run, causes, suspects, a report

    run = segprep.training.fit("out", {"arch": "unet", "epochs": 20})
    run.checkpoint, run.history
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segprep.errors import MissingExtraError, require
from segprep.train_config import Config

if TYPE_CHECKING:
    from segprep.training.trainer.result import Run

# OpenMP's threads spin while they wait for each other. With four busy neighbors on two cores, a
# training step took 1.3 s instead of 0.27 s. Sleeping instead costs little on an idle machine.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

try:
    import torch as _torch  # noqa: F401
except ImportError as error:
    raise MissingExtraError("training", "PyTorch", "train") from error
for _package in ("matplotlib", "scipy"):  # PyTorch may have been installed by itself
    require("training", _package, "train")


def fit(
    dataset: str | Path, config: Config | Mapping[str, Any] | str | Path | None = None, **more: Any
) -> "Run":
    """Train on *dataset* with *config*: a Config, a mapping, or a TOML file; *more* settings and
    arguments of :func:`segprep.train` (out, resume, overwrite …) go over it. The run has the best
    epoch's file (``checkpoint``, for segprep.load_model) and a row per epoch (``history``: loss,
    val_miou, lr …). Raises what :func:`segprep.train` raises.
    """
    from segprep.train_settings import plain
    from segprep.training.trainer.trainer import train

    if config is None or isinstance(config, str | Path):
        return train(dataset, config, **more)
    settings = plain(config) if isinstance(config, Config) else dict(config)
    return train(dataset, **{**settings, **more})
