"""segprep train --sweep: a row per value, a picture, and going on where it was."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from PIL import Image

from segprep.errors import UsageError
from segprep.training.progress import Moment
from segprep.training.trainer.sweep import sweep, values

TINY: dict[str, Any] = {"size": 32, "batch": 4, "tensorboard": False, "device": "cpu"}


def test_values_are_of_the_settings_type() -> None:
    assert values("lr=1e-4,1e-3") == ("lr", [1e-4, 1e-3])
    assert values("epochs=1,2") == ("epochs", [1, 2])
    assert values("loss = ce, ce+dice") == ("loss", ["ce", "ce+dice"])
    assert values("nesterov=true,false") == ("nesterov", [True, False])
    assert values("warm-up=0,1") == ("warm_up", [0, 1])
    assert values("options.base=4,8") == ("options.base", [4, 8])
    for wrong in ("lr", "lr=", "lr=1", "lr=1,1", "class_weights=1,2"):
        with pytest.raises(UsageError):
            values(wrong)
    with pytest.raises(UsageError) as error:
        values("learning_rat=1,2")
    assert error.value.code == "unknown-setting"


def test_rows_picture_and_going_on(discs: Callable[..., Path]) -> None:
    """A setting that learns nothing stops early; one that explodes is a row; what is finished is
    not done again.
    """
    root = discs(8)
    given = TINY | {
        "options": {"base": 4},
        "arch": "unet-keras",
        "optimizer": "sgd",
        "clip": 0.0,
        "patience": 2,
        "epochs": 6,
        "monitor": "loss",
        "min_delta": 0.5,
    }
    seen: list[str] = []

    def stop(moment: Moment) -> None:
        seen.append(moment.what)
        if moment.what.startswith("lr=1000.0: epoch 1/6, "):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(root, "lr=1e-9,1e3", watch=stop, **given)
    assert any(text.startswith("lr=1e-09: epoch 1/6: ") for text in seen)
    seen.clear()
    found = sweep(root, "lr=1e-9,1e3", watch=lambda moment: seen.append(moment.what), **given)
    assert not any(text.startswith("lr=1e-09") for text in seen)
    assert [(row.value, row.stopped) for row in found.rows] == [
        (1e-9, "patience"),
        (1e3, "loss-nan"),
    ]
    assert found.rows[0].epochs == 3
    rows = list(csv.DictReader((root / "runs/sweep-lr/sweep.csv").read_text().splitlines()))
    assert [(row["lr"], row["epochs"], row["stopped"]) for row in rows] == [
        ("1e-09", "3", "patience"),
        ("1000.0", str(found.rows[1].epochs), "loss-nan"),
    ]
    with Image.open(root / "runs/sweep-lr/sweep.png") as picture:
        assert picture.size[0] > 800


def test_the_command_and_a_wrong_value(discs: Callable[..., Path]) -> None:
    from cli.main import group

    root = discs(8)
    args = [
        "train",
        str(root),
        "--size",
        "32",
        "--epochs",
        "1",
        "--no-tensorboard",
        "--device",
        "cpu",
    ]
    wrong = CliRunner().invoke(group, [*args, "--sweep", "loss=ce,dicee"])
    assert wrong.exit_code == 2
    assert "did you mean dice?" in wrong.stderr
    assert not (root / "runs").exists()  # before the first training, not after it
    done = CliRunner().invoke(group, [*args, "--sweep", "options.base=2,4", "--json"])
    assert done.exit_code == 0, done.output
    assert [(row["value"], row["epochs"]) for row in json.loads(done.stdout)["rows"]] == [
        (2, 1),
        (4, 1),
    ]


def test_a_second_setting_adds_a_dimension(discs: Callable[..., Path]) -> None:
    """Each combination is trained once; the table has a column per setting."""
    from segprep_cli.main import group

    root = discs(4)
    args = ["train", str(root), "--size", "32", "--epochs", "1", "--no-tensorboard", "--quiet"]
    args += ["--option", "base=2", "--device", "cpu"]
    done = CliRunner().invoke(group, [*args, "--sweep", "lr=0.1,0.2", "--sweep", "loss=ce,dice"])
    assert done.exit_code == 0, done.output
    folder = root / "runs/sweep-lr-loss"
    rows = list(csv.DictReader((folder / "sweep.csv").read_text().splitlines()))
    wanted = [("0.1", "ce"), ("0.1", "dice"), ("0.2", "ce"), ("0.2", "dice")]
    assert [(row["lr"], row["loss"]) for row in rows] == wanted
    for rate, loss in wanted:
        config = (folder / f"lr={rate},loss={loss}" / "config.toml").read_text()
        assert f"lr = {rate}" in config
        assert f'loss = "{loss}"' in config
    with Image.open(folder / "sweep.png") as picture:
        assert picture.size[0] > 500
    twice = CliRunner().invoke(group, [*args, "--sweep", "lr=0.1,0.2", "--sweep", "lr=0.3,0.4"])
    assert twice.exit_code == 2
    assert "names a setting twice" in twice.output
