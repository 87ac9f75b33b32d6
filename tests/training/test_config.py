"""Settings: types and ranges, and what earlier versions wrote stays valid."""

from pathlib import Path

import pytest

pytest.importorskip("torch")

import torch
from click.testing import CliRunner
from segprep_cli.main import group

from segprep.errors import UsageError
from segprep.train_config import Config
from segprep.train_settings import make_config, plain, read_config, toml_text
from segprep.training import checkpoints, models
from segprep.training.augmentation.color import OneColor
from segprep.training.augmentation.presets import steps
from segprep.training.data.pairs import InputSpec
from segprep.training.inference.job import predict
from segprep.training.trainer.resume import going_on


def test_a_file_of_an_earlier_version_means_the_same(tmp_path: Path) -> None:
    old = 'normalise = "half"\n[augmentation]\ncolour_hue = 0.1\n'
    old += 'letterbox_anchor = "centre"\n'  # codespell:ignore
    (tmp_path / "old.toml").write_text(old)
    config = make_config(read_config(tmp_path / "old.toml"))
    assert config.normalize == "half"
    assert dict(config.augmentation) == {"color_hue": 0.1, "letterbox_anchor": "center"}
    (tmp_path / "new.toml").write_text(toml_text(config))
    assert make_config(read_config(tmp_path / "new.toml")) == config
    assert steps("none", colour_hue=0.1) == (OneColor(hue=0.1),)


def test_a_run_of_an_earlier_version_can_be_resumed() -> None:
    kept = {**plain(Config()), "normalise": "half", "monitor": "val_miou"}  # codespell:ignore
    del kept["normalize"]
    assert going_on({"training": {"config": kept}}, {"normalize": "half"}).normalize == "half"


def test_earlier_option_spellings_are_hidden_but_work(tmp_path: Path) -> None:
    shown = CliRunner().invoke(group, ["train", "--help"]).output
    assert "--normalize" in shown
    assert "--normalise" not in shown
    told = CliRunner().invoke(group, ["train", str(tmp_path), "--normalise", "halv"])
    assert told.exit_code == 2
    assert "'half'" in told.output
    mode = "colour"  # codespell:ignore
    told = CliRunner().invoke(group, ["predict", "a.pt", "b", "--out", "c", "--mode", mode])
    assert "unreadable" in told.output or "no such file" in told.output


def test_a_pruned_network_predicts_at_its_depth(tmp_path: Path) -> None:
    from PIL import Image

    network = models.build("unetpp", 3, 2, base=4)
    spec = InputSpec(64, 1.0, (0.5,) * 3, (0.25,) * 3)
    checkpoint = checkpoints.Checkpoint(
        "unetpp", {"base": 4}, ("_background_", "a"), spec, network.state_dict()
    )
    pruned = checkpoints.pruned(checkpoint, 2)
    images = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        heads = checkpoint.network().every_head(images)
        assert torch.equal(pruned.network()(images), heads[1])
    checkpoints.save(tmp_path / "net.pt", checkpoint)
    Image.new("RGB", (64, 64)).save(tmp_path / "a.png")
    assert predict(tmp_path / "net.pt", tmp_path / "a.png", tmp_path / "out", depth=2).done == 1
    other = checkpoints.Checkpoint(
        "mini-unet", {}, ("a", "b"), spec, models.build("mini-unet", 3, 2).state_dict()
    )
    with pytest.raises(UsageError) as error:
        checkpoints.pruned(other, 2)
    assert error.value.code == "bad-option"
