"""The loss of any list, and a UNet++ pruned to each depth."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from segprep_cli.main import group

from segprep import train
from segprep.training import models

Make = Callable[..., Path]
TINY: dict[str, Any] = {"size": 32, "batch": 4, "tensorboard": False, "device": "cpu"}


def run(*words: object) -> Any:
    return CliRunner().invoke(group, list(map(str, words)))


def test_the_loss_of_a_list_is_what_training_reports(discs: Make, tmp_path: Path) -> None:
    root = discs(12)
    settings = TINY | {"options": {"base": 4}, "epochs": 2, "class_weights": (1.0, 3.0)}
    trained = train(root, loss="ce+dice", out=tmp_path / "run", **settings)
    words = ("miou", "-d", root, "--checkpoint", trained.checkpoint, "--json")
    result = run(*words, "--split", "val", "--loss")
    told = json.loads(result.stdout)["loss"]
    assert told["spec"] == "ce+dice"
    assert told["images"] == 3
    assert told["loss"] == pytest.approx(trained.best.val_loss, rel=1e-5)
    other = json.loads(run(*words, "--split", "train", "--loss", "focal").stdout)["loss"]
    assert other["spec"] == "focal"
    assert other["images"] == 9
    (trained.out / "config.toml").unlink()
    assert "[bad-option]" in run(*words, "--loss").stderr
    assert "[bad-option]" in run("miou", "-d", root, "--loss", "ce").stderr
    assert "(ce, 9 images)" in run(*words[:-1], "--split", "train", "--loss", "ce").stdout


def test_time_and_score_of_each_depth(discs: Make, tmp_path: Path) -> None:
    root = discs(12)
    settings = TINY | {"arch": "unetpp", "preset": "deep", "options": {"base": 4}, "epochs": 1}
    trained = train(root, out=tmp_path / "run", **settings)
    words = ("miou", "-d", root, "--checkpoint", trained.checkpoint, "--split", "val", "--depths")
    result = json.loads(run(*words, "--json").stdout)
    rows = result["depths"]
    assert [row["depth"] for row in rows] == [1, 2, 3, 4]
    for row in rows:
        options = {"deep": False, "depth": row["depth"], "base": 4}
        network = models.build("unetpp", 3, 2, **options)
        assert row["parameters"] == models.parameters(network)
        assert row["seconds"] > 0
    assert rows[-1]["miou"] == pytest.approx(result["miou"])
    assert "ms per image" in run(*words).stdout
    plain = train(root, out=tmp_path / "plain", **TINY, options={"base": 4}, epochs=1)
    refused = run("miou", "-d", root, "--checkpoint", plain.checkpoint, "--depths")
    assert "[bad-option]" in refused.stderr
