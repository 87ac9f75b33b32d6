"""A small checkpoint, and `segprep predict` run in this process."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from click.testing import CliRunner
from segprep_cli.main import group

from segprep.training import models
from segprep.training.checkpoints import Checkpoint, save
from segprep.training.data.pairs import InputSpec

VIEW = InputSpec(64, None, (0.4, 0.4, 0.4), (0.25, 0.25, 0.25))


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)


def run(*words: object) -> Any:
    result = CliRunner().invoke(group, list(map(str, words)))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def network(
    folder: Path,
    classes: tuple[str, ...] = ("_background_", "disc"),
    name: str = "net.pt",
    arch: str = "mini-unet",
) -> Path:
    torch.manual_seed(1)
    folder.mkdir(exist_ok=True)
    made = models.build(arch, 3, len(classes), base=4)
    for module in made.modules():  # as if trained: pixels differ in what is said of them
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.normal_(module.weight, 1.0, 0.3)
    head = [module for module in made.modules() if isinstance(module, torch.nn.Conv2d)][-1]
    with torch.no_grad():
        said = made.eval()(torch.rand(1, 3, 64, 64) - 1.5)
        head.bias -= said.median(3)[0].median(2)[0][0]
    save(folder / name, Checkpoint(arch, {"base": 4}, classes, VIEW, made.state_dict()))
    return folder / name
