"""``segprep train`` as a person calls it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from click.testing import CliRunner

from segprep.train_config import Config
from segprep.train_settings import make_config, read_config
from segprep.training.trainer.config_check import settled

ROOT = Path(__file__).parents[3]
TINY = ["--size", "32", "--option", "base=4", "--batch", "4", "--no-tensorboard", "--device", "cpu"]


def call(*args: str) -> object:
    from cli.main import group

    return CliRunner().invoke(group, ["train", *args])


def test_help_lists_every_setting_and_needs_no_pytorch() -> None:
    code = "import sys; from cli.train import command; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
    text = call("--help").output
    from dataclasses import fields

    assert all(
        f"--{one.name.replace('_', '-')}" in text for one in fields(Config) if one.name != "options"
    )
    assert "--option NAME=VALUE" in text


def test_the_names_in_the_help_are_those_there_are() -> None:
    from typing import get_type_hints

    from segprep.training import losses
    from segprep.training.trainer import optimizers, schedules

    hints = get_type_hints(Config, include_extras=True)
    for name, known in (
        ("loss", losses.LOSSES),
        ("optimizer", optimizers.OPTIMIZERS),
        ("schedule", schedules.NAMES),
    ):
        assert all(
            one in hints[name].__metadata__[0].replace(".", " ").replace(",", " ").split()
            for one in known
        )


def test_options_go_over_the_file(discs: Callable[..., Path], tmp_path: Path) -> None:
    root = discs(8)
    (tmp_path / "t.toml").write_text(
        'epochs = 3\nloss = "focal"\nclass_weights = [1, 2]\n[options]\nbase = 8\n'
    )
    done = call(str(root), "--config", str(tmp_path / "t.toml"), "--epochs", "1", "--json", *TINY)
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (
        found["epochs"],
        found["config"]["loss"],
        found["config"]["class_weights"],
        found["config"]["options"],
    ) == (1, "focal", [1, 2], {"base": 4})
    assert found["stopped"] == "epochs"
    assert [one["name"] for one in found["classes"]] == ["_background_", "disc"]
    assert "epoch 1/1: loss" in done.stderr
    assert settled(read_config(root / "runs/train/config.toml")) == make_config(found["config"])


def test_a_table_for_people_and_words_for_wrong_calls(discs: Callable[..., Path]) -> None:
    root = discs(8)
    done = call(str(root), "--epochs", "1", *TINY)
    assert "best epoch 1: val_miou" in done.stdout
    assert "disc" in done.stdout
    again = call(str(root), *TINY)
    assert again.exit_code == 1
    assert "[output-exists]" in again.stderr
    for args, words in (
        (["--arch", "unett"], "did you mean unet?"),
        (["--class-weights", "1,x"], "is not a list of numbers"),
        (["--epochs", "0"], "from 1 to"),
    ):
        wrong = call(str(root), "--overwrite", *args)
        assert wrong.exit_code == 2, wrong.output
        assert words in wrong.stderr


def test_interrupted_it_says_how_to_go_on(discs: Callable[..., Path]) -> None:
    root = discs(8)
    command = [sys.executable, "-m", "segprep_cli", "train", str(root), "--epochs", "100000", *TINY]
    running = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    report = root / "runs/train/run.json"
    while not report.exists() or json.loads(report.read_text())["epochs"] < 2:
        assert running.poll() is None, running.communicate()
        time.sleep(0.1)
    running.send_signal(signal.SIGINT)
    _, told = running.communicate(timeout=600)
    assert running.returncode == 130, told
    assert f"Go on: segprep train {root} --resume" in told
    assert "Traceback" not in told
    epochs = json.loads(report.read_text())["epochs"]
    done = call(str(root), "--resume", "--epochs", str(epochs + 1), "--json")
    assert json.loads(done.stdout)["epochs"] >= epochs + 1


def test_two_numbers_of_an_augmentation_need_no_brackets() -> None:
    from segprep_cli.train import _pair

    assert _pair("jitter_scale=2,2") == _pair("jitter_scale=[2, 2]") == ("jitter_scale", [2, 2])
    assert _pair("fill=reflect") == ("fill", "reflect")
    assert _pair("join=sum,concat") == ("join", "sum,concat")
