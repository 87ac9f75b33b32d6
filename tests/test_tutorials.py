"""docs/tutorials.md: its tests and commands exist; and what of the tutorials no other test
shows.
"""

import ast
import re
import shlex
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
import torch
from PIL import Image
from segprep_cli.main import group
from segprep_cli.train import _pair
from torch import nn

from segprep import split, train
from segprep.imaging.image import write_mask
from segprep.splitting.partition import cut
from segprep.train_config import TABLES, Config
from segprep.train_settings import make_config
from segprep.training import losses, models
from segprep.training.freezing import freeze
from segprep.training.trainer import optimizers
from segprep.training.trainer.config_check import settled
from segprep.training.trainer.distributed import ProcessGroup
from segprep.training.trainer.step import Learner
from segprep.training.trainer.windows import chain

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "tutorials.md").read_text("utf-8")
ROWS = {"D": 24, "L": 21, "M": 17, "T": 26, "P": 13, "E": 10, "X": 7}


def lines() -> list[str]:
    """Every command of the page: lines of blocks, and code between words that has more than the
    command's name.
    """
    blocks = re.findall(r"^\$ (.+)$", PAGE, re.M)
    spans = [span for span in re.findall(r"`([^`\n]+)`", PAGE) if span.startswith("segprep ")]
    return list(dict.fromkeys([*blocks, *spans]))


def parsed(line: str) -> tuple[str, dict[str, Any]]:
    """The command's name and its parameters, as the program would see them; a word that it does not
    know raises click's error.
    """
    words = shlex.split(line)
    words = words[words.index("segprep_cli") + 1 :] if words[0] == "torchrun" else words[1:]
    command: click.Command = group
    context = click.Context(command)
    name = ""
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        name = name or words[0]
        found = command.get_command(context, words[0])
        assert found is not None, f"{line}: no {words[0]}"
        command, words = found, words[1:]
    short = not any(
        not word.startswith("-") and "/" in word for word in words
    )  # named in passing: `segprep train --arch unet`
    parameters = {option: one for one in command.params for option in one.opts}
    if short:
        assert {word for word in words if word.startswith("-")} <= {*parameters, "--help"}, line
        return "", {}
    return name, command.make_context(line, words).params


@cache
def functions_of(path: str) -> set[str]:
    return {
        one.name
        for one in ast.parse((ROOT / path).read_text("utf-8")).body
        if isinstance(one, ast.FunctionDef)
    }


def test_every_test_of_the_page_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)
    assert len(named) > 150
    assert [
        f"{path}::{name}"
        for path, name in named
        if not (ROOT / path).is_file() or name not in functions_of(path)
    ] == []
    assert PAGE.count("tests/") == len(named)


def test_every_row_is_there_and_says_by_what() -> None:
    for letter, count in ROWS.items():
        rows = re.findall(rf"^\| {letter}(\d+) \| (.+) \| (.+) \| (.+) \|$", PAGE, re.M)
        assert [int(row[0]) for row in rows] == list(range(1, count + 1)), letter
        assert all(len(row[3]) > 20 for row in rows)


def test_links_lead_somewhere() -> None:
    for link in re.findall(r"\]\(([^)]+)\)", PAGE):
        if link.startswith("https://"):
            continue
        page, _, anchor = link.partition("#")
        path = ROOT / "docs" / (page or "tutorials.md")
        titles = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.M)
        anchors = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
        assert not anchor or anchor in anchors, link


@pytest.mark.parametrize("line", lines())
def test_every_command_of_the_page_is_one(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for word in shlex.split(line):
        if word.endswith("/"):
            Path(word).mkdir(parents=True, exist_ok=True)
    parsed(line)


def settings_of(line: str, where: Path) -> Mapping[str, Any] | None:
    """The settings that a line of the page gives segprep train."""
    for word in shlex.split(line):
        if word.endswith("/"):
            (where / word).mkdir(parents=True, exist_ok=True)
    name, found = parsed(line)
    if name != "train":
        return None
    given = {
        key: value
        for key, value in found.items()
        if value is not None and key in Config.__dataclass_fields__ and key not in TABLES
    }
    return given | {
        table: dict(map(_pair, found[key]))
        for key, table in (("option", "options"), ("augmentation", "augmentation"))
        if found[key]
    }


def test_every_training_can_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names, options, augmentation, frozen stages and weights of every line for segprep train fit
    together; nothing of a network's size is allocated.
    """
    monkeypatch.chdir(tmp_path)
    seen = set()
    for line in lines():
        given = settings_of(line, tmp_path)
        if given is None:
            continue
        config = settled(given)
        chain(config)
        preset = models.presets(config.arch)[config.preset].options if config.preset else {}
        with torch.device("meta"):
            network = models.build(config.arch, 3, 2, **{**preset, **config.options})
        if config.freeze:
            assert freeze(network, None if config.freeze == "all" else int(config.freeze)), line
        losses.make(config.loss, 2, config.class_weights or None)
        optimizers.make(config, network.parameters())
        seen.add(config.arch)
    assert seen >= {
        "unet",
        "unet-keras",
        "unet-paper",
        "unet-reflect",
        "unetpp",
        "vgg-unet",
        "mini-unet",
        "mobilenet-unet",
        "fcn8s",
        "fcn32s",
    }
    with torch.device("meta"):
        sizes = {
            (base, bilinear): models.parameters(
                models.build("unet", 3, 2, base=base, bilinear=bilinear)
            )
            for base in (16, 32)
            for bilinear in (True, False)
        }
    assert len(set(sizes.values())) == 4  # the options that M16 names do something


@pytest.mark.parametrize(
    ("count", "ratio", "expected"),
    [
        (10, (90, 10, 0), [9, 1, 0]),
        (11, (90, 10, 0), [9, 2, 0]),
        (101, (90, 10, 0), [90, 11, 0]),
        (30, (100, 0, 0), [30, 0, 0]),
        (7390, (80, 0, 20), [5912, 0, 1478]),
        (670, (80, 20, 0), [536, 134, 0]),
    ],
)
def test_the_tutorials_splits(count: int, ratio: tuple[int, int, int], expected: list[int]) -> None:
    assert cut(count, ratio) == expected


def test_an_empty_list_is_said(tmp_path: Path) -> None:
    done = split(tree(tmp_path, 3), ratio="100/0/0")
    assert list(done.counts.values()) == [3, 0, 0]
    assert [note.message.split()[0] for note in done.notes if note.code == "empty-split"] == [
        "val",
        "test",
    ]


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("sgd", {"momentum": 0.9}, 0.8266),
        ("sgd", {"momentum": 0.9, "nesterov": True}, 0.725566),
        ("sgd", {"momentum": 0.0}, 0.8806),
        ("adam", {}, 0.8000473),
        ("adamw", {}, 0.7811),
        ("rmsprop", {"momentum": 0.0}, None),
    ],
)
def test_one_step_of_each_optimizer(
    name: str, options: dict[str, Any], expected: float | None
) -> None:
    """Two steps from 1 along a gradient of 0.5 with learning rate 0.1 and weight decay 0.1, by
    hand.
    """
    weight = nn.Parameter(torch.ones(1, dtype=torch.float64))
    config = Config(optimizer=name, lr=0.1, weight_decay=0.1, **options)
    optimizer = optimizers.make(config, [weight])
    for _ in range(2):
        weight.grad = torch.full_like(weight, 0.5)
        optimizer.step()
    if (
        expected is None
    ):  # RMSprop divides by the root of a mean square that starts at 0 and keeps 0.99 of itself
        first = 1 - 0.1 * 0.6 / 0.01**0.5 / 0.6
        gradient = 0.5 + 0.1 * first
        expected = first - 0.1 * gradient / (0.99 * 0.01 * 0.6**2 + 0.01 * gradient**2) ** 0.5
    assert weight.item() == pytest.approx(expected, abs=1e-6)


def test_clipping_shortens_the_step() -> None:
    """A step of plain SGD is the learning rate times the gradient, of a norm of at most --clip."""
    moved = []
    for clip in (0.0, 0.01):
        torch.manual_seed(0)
        network = nn.Conv2d(3, 2, 1)
        before = [one.detach().clone() for one in network.parameters()]
        fitting = Learner(
            network,
            losses.make("ce", 2),
            make_config({"optimizer": "sgd", "momentum": 0.0, "weight_decay": 0.0, "clip": clip}),
            ProcessGroup(0, 1, "cpu"),
        )
        fitting.step(torch.rand(2, 3, 8, 8) * 9, torch.zeros(2, 8, 8, dtype=torch.long), None, 0.5)
        moved.append(
            float(
                torch.cat(
                    [
                        (one.detach() - old).ravel()
                        for one, old in zip(network.parameters(), before, strict=True)
                    ]
                ).norm()
            )
        )
    assert moved[0] > 0.5 * 0.01 * 2
    assert moved[1] == pytest.approx(0.5 * 0.01, rel=1e-3)


def test_normalizations_by_name(tmp_path: Path) -> None:
    from segprep.dataset.tree import Tree
    from segprep.training.data.dataset import prepare
    from segprep.training.data.lists import Selection

    place = Tree(tree(tmp_path, 2))
    views = {}
    for name in ("dataset", "imagenet", "half", "unit", "caffe"):
        chosen = Selection(("0",), ("1",), ())
        views[name] = prepare(
            place,
            chosen,
            ("_background_", "cell"),
            make_config({"normalize": name, "size": 16}),
            lambda what, done, total: None,
        )[2]
    assert views["half"].mean == views["half"].std == (0.5, 0.5, 0.5)  # x / 127.5 - 1
    assert (views["unit"].mean, views["unit"].std) == ((0, 0, 0), (1, 1, 1))
    assert views["imagenet"].mean == pytest.approx((0.485, 0.456, 0.406))
    assert views["imagenet"].std == pytest.approx((0.229, 0.224, 0.225))
    caffe = views["caffe"]  # x - (123.68, 116.779, 103.939), red first
    white = (1 - np.array(caffe.mean)) / caffe.std
    assert white == pytest.approx(255 - np.array([123.68, 116.779, 103.939]))
    pixels = np.asarray(Image.open(tmp_path / "JPEGImages/0.png"), np.float64).reshape(-1, 3) / 255
    assert views["dataset"].mean == pytest.approx(pixels.mean(0), abs=1e-5)
    assert views["dataset"].std == pytest.approx(pixels.std(0), abs=1e-5)


def tree(root: Path, count: int) -> Path:
    rng = np.random.default_rng(0)
    for folder in ("JPEGImages", "SegmentationClass"):
        (root / folder).mkdir()
    (root / "class_names.txt").write_text("_background_\ncell\n")
    for n in range(count):
        mask = (rng.random((20, 24)) < 0.4).astype(np.uint8)
        Image.fromarray(
            (mask[..., None] * 120 + rng.integers(0, 60, (20, 24, 3))).astype(np.uint8)
        ).save(root / f"JPEGImages/{n}.png")
        write_mask(root / f"SegmentationClass/{n}.png", mask)
    return root


def test_steps_and_images_to_validate_on(tmp_path: Path) -> None:
    """steps_per_epoch and validation_steps are honored; a set smaller than the batch is told."""
    root = tree(tmp_path, 5)
    lists = root / "ImageSets" / "Segmentation"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("0\n1\n")
    (lists / "val.txt").write_text("2\n3\n4\n")
    common = {
        "options": {"base": 4},
        "size": 16,
        "batch": 3,
        "tensorboard": False,
        "device": "cpu",
        "lr": 1e-3,
    }
    found = train(root, epochs=2, steps_per_epoch=3, validation_steps=1, **common)
    assert [entry.step for entry in found.history] == [3, 6]
    assert any("a batch of 3 is more than the 2 images" in note for note in found.notes)
    assert found.matrix is not None
    assert (
        int(found.matrix.sum()) == 3 * 20 * 24
    )  # one image after each epoch, the whole list in the end
    (lists / "val.txt").write_text("2\n")
    one = train(root, out=tmp_path / "one", epochs=2, steps_per_epoch=3, **common)
    assert [entry.val_loss for entry in one.history] == [entry.val_loss for entry in found.history]
    (lists / "val.txt").write_text("2\n3\n4\n")
    again = train(root, out=tmp_path / "whole", epochs=1, **common)
    assert [entry.step for entry in again.history] == [1]
    assert again.matrix is not None
    assert int(again.matrix.sum()) == 3 * 20 * 24


def test_the_libraries_are_current() -> None:
    """The tutorials' own code fails on these: np.int is gone, as are old names of Pillow."""
    assert int(version("numpy").split(".")[0]) >= 2
    assert not hasattr(np, "int")
    assert int(version("pillow").split(".")[0]) >= 12
    sources = [
        path.read_text("utf-8")
        for folder in ("segprep", "cli")
        for path in (ROOT / folder).rglob("*.py")
    ]
    assert not [
        text
        for text in sources
        if re.search(r"\bnp\.(int|float|bool)\b(?!_)|albumentations", text.split('"""', 2)[-1])
    ]
