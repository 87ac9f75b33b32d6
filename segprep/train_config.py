"""The settings of a training: from a TOML file or from keywords, each of its type and in its range;
every key of the file is an option of ``segprep train``.

Whether names (of a network, a loss …) exist is seen in :mod:`.training.configuration`: this room
does without PyTorch, so that ``--help`` is quick.
"""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from segprep.errors import UsageError
from segprep.names import unknown

NONE = "none"
TABLES = (
    "options",
    "augmentation",
)  # [options] in the file, --option NAME=VALUE on the command line
MONITORS = ("loss", "val_loss", "val_miou", "val_dice", "val_accuracy")
Normalise = Literal["dataset", "imagenet", "half", "unit"]
Fit = Literal["none", "letterbox", "stretch"]
Precision = Literal["none", "float16", "bfloat16"]


@dataclass(frozen=True, slots=True)
class Config:
    """All settings. What a number means when it is 0 stands in its help text."""

    arch: Annotated[str, "The network: see segprep models."] = "unet"
    preset: Annotated[str, "One of its published sizes."] = ""
    options: Annotated[Mapping[str, Any], "Its own options: base=16."] = field(
        default_factory=lambda: MappingProxyType({})
    )
    weights: Annotated[str, "Pretrained weights: a file, or an https address with --sha256."] = ""
    sha256: Annotated[str, "The SHA-256 that the weights must have."] = ""
    freeze: Annotated[
        str,
        "Hold so many stages of the backbone as they are, batch normalisation too: a number, or"
        " all.",
    ] = ""
    freeze_epochs: Annotated[int, "… for the first so many epochs; 0: for all of them."] = 0
    freeze_lr: Annotated[float, "The learning rate of those epochs; 0: the same."] = 0.0
    freeze_batch: Annotated[int, "The batch of those epochs; 0: the same."] = 0
    freeze_norm: Annotated[
        bool, "Batch normalisation keeps its statistics, everywhere and always."
    ] = False
    train: Annotated[str, "The list to train on."] = "train"
    val: Annotated[str, "The list to validate on; none: without validation."] = "val"
    size: Annotated[int, "Side of the windows in pixels."] = 256
    scale: Annotated[float, "Factor that images are worked at."] = 1.0
    fit: Annotated[
        Fit,
        "Each image as a whole in the window, letterboxed or stretched; none: windows are cut out"
        " of it.",
    ] = "none"
    normalise: Annotated[
        Normalise,
        "Mean and deviation: of the train list's counted pixels, ImageNet's, to -1..1, or to 0..1.",
    ] = "dataset"
    augment: Annotated[
        str,
        "windows (flips, quarter turns, small turns and zooms, light and colour), none, or a set of"
        " docs/augmentation.md.",
    ] = "windows"
    augmentation: Annotated[Mapping[str, Any], "Its parameters, over the set's: rotation=5."] = (
        field(default_factory=lambda: MappingProxyType({}))
    )
    loss: Annotated[
        str, "ce, focal, dice, bce, bce-dice, lovasz, lovasz-hinge, or a sum: focal+dice."
    ] = "ce+dice"
    class_weights: Annotated[tuple[float, ...], "One number per class: 1,2."] = ()
    skip_classes: Annotated[
        tuple[float, ...], "Ids of classes whose pixels are not learned from: 0."
    ] = ()
    border: Annotated[
        float, "w0 of the U-Net paper's border weights in ce (10 there); 0: none."
    ] = 0.0
    border_sigma: Annotated[float, "Their reach in pixels."] = 5.0
    optimizer: Annotated[str, "sgd, adam, adamw or rmsprop."] = "adamw"
    lr: Annotated[float, "The peak learning rate."] = 1e-3
    momentum: Annotated[float, "Of sgd and rmsprop; Adam's first beta."] = 0.9
    nesterov: Annotated[bool, "Nesterov's momentum (sgd)."] = False
    weight_decay: Annotated[float, "Weight decay."] = 1e-4
    clip: Annotated[float, "Largest norm of the gradient; 0: not clipped."] = 1.0
    schedule: Annotated[str, "constant, polynomial, cosine, step, exponential or plateau."] = (
        "cosine"
    )
    warm_up: Annotated[float, "Epochs in which the learning rate rises."] = 0.0
    start: Annotated[float, "The share of the learning rate that the warm-up begins with."] = 0.001
    rise: Annotated[float, "The power of its rise: 1 straight, 2 quadratic."] = 1.0
    flat: Annotated[
        float, "Epochs at the end in which the learning rate stays where the schedule ends."
    ] = 0.0
    end: Annotated[
        float,
        "The share of the learning rate that the schedule ends at (polynomial, cosine) or never"
        " falls below.",
    ] = 0.0
    power: Annotated[float, "Polynomial's power."] = 0.9
    factor: Annotated[
        float, "What step, exponential and plateau multiply by; 0: 0.1, exponential 0.96."
    ] = 0.0
    every: Annotated[
        float, "Epochs between two steps of the schedule; with plateau, epochs without gain."
    ] = 1.0
    epochs: Annotated[int, "Epochs."] = 50
    steps_per_epoch: Annotated[int, "Optimiser steps per epoch; 0: each image once."] = 0
    validate_every: Annotated[int, "Validate after every so many epochs, and after the last."] = 1
    validation_steps: Annotated[
        int,
        "Images that are validated on per epoch; 0: the whole list. In the end it is always the"
        " whole.",
    ] = 0
    batch: Annotated[int, "Windows per step and process."] = 8
    monitor: Annotated[
        str,
        f"What says which epoch is best: {', '.join(MONITORS)}.  [default: val_miou, without"
        " validation loss]",
    ] = ""
    patience: Annotated[int, "Stop after so many epochs without gain; 0: never."] = 0
    min_delta: Annotated[float, "What counts as a gain for --patience, in absolute terms."] = 0.001
    save_every: Annotated[
        int, "Keep a checkpoint of every so many epochs; 0: best and last only."
    ] = 0
    pictures: Annotated[
        int,
        "After every so many epochs, a sheet of images, truth and prediction in pictures/; 0:"
        " none.",
    ] = 0
    amp: Annotated[Precision, "Mixed precision; pays on a GPU."] = "none"
    channels_last: Annotated[bool, "Pixels' channels side by side in memory."] = True
    compile: Annotated[bool, "torch.compile; on a GPU only."] = False
    sync_bn: Annotated[bool, "Batch normalisation over all processes; on GPUs only."] = False
    tensorboard: Annotated[bool, "Write event files for TensorBoard."] = True
    workers: Annotated[int, "Processes that load data; the numbers do not depend on it."] = 0
    device: Annotated[str, "auto, cpu, cuda, cuda:1 …"] = "auto"
    seed: Annotated[int, "Same seed, same machine: same numbers."] = 0


RANGES: Mapping[str, tuple[float, float]] = {
    "freeze_epochs": (0, 1e6), "freeze_lr": (0, 1e3), "freeze_batch": (0, 4096), "size": (16, 8192), "scale": (0.001, 16), "lr": (1e-12, 1e3),
    "momentum": (0, 0.9999), "weight_decay": (0, 10), "clip": (0, 1e9), "warm_up": (0, 1e6), "start": (0, 1), "rise": (0.01, 100), "flat": (0, 1e6), "end": (0, 1), "power": (1e-3, 100), "factor": (0, 1), "every": (1e-3, 1e6),
    "epochs": (1, 1e6), "steps_per_epoch": (0, 1e7), "validate_every": (1, 1e6), "pictures": (0, 1e6), "border": (0, 1e6), "border_sigma": (0.01, 1e4), "validation_steps": (0, 1e9), "batch": (1, 4096), "patience": (0, 1e6), "min_delta": (0, 1e9), "save_every": (0, 1e6),
    "workers": (0, 256), "seed": (0, 2**63 - 1),
}  # fmt: skip


def read(path: Path) -> dict[str, Any]:
    """The settings of the TOML file at *path*; lines of keys, and the tables ``[options]`` and
    ``[augmentation]``. Raises UsageError: bad-config, unknown-setting.
    """
    try:
        content = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise UsageError(
            "bad-config", f"{path} cannot be read: {error.strerror}", "give an existing file"
        ) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(
            "bad-config",
            f"{path} is no TOML: {error}",
            'one setting per line: lr = 0.01, text in quotes: loss = "ce+dice"',
        ) from error
    for key in content:
        known(key, str(path))
    return content


def known(key: str, where: str = "the settings") -> None:
    """Raise UsageError (unknown-setting) with the nearest name unless *key* is a setting."""
    names = [one.name for one in fields(Config)]
    if key not in names:
        message, hint = unknown("setting", key.replace("-", "_"), names)
        raise UsageError("unknown-setting", f"{where}: {message}", hint)


def made(given: Mapping[str, Any]) -> Config:
    """A Config of *given* settings over the defaults.

    Raises UsageError: unknown-setting, bad-option (type, range).
    """
    hints = get_type_hints(Config)
    for key in given:
        known(key)
    config = Config(**{key: _typed(key, hints[key], value) for key, value in given.items()})
    for key, (low, high) in RANGES.items():
        value = getattr(config, key)
        if not low <= value <= high:
            raise UsageError(
                "bad-option", f"{key} is {value}", f"it has to be from {low:g} to {high:g}"
            )
    return (
        config
        if config.monitor
        else replaced(config, monitor="loss" if config.val == NONE else "val_miou")
    )


def replaced(config: Config, **changes: Any) -> Config:
    """*config* with *changes*."""
    return Config(
        **{one.name: changes.get(one.name, getattr(config, one.name)) for one in fields(Config)}
    )


def _typed(key: str, hint: Any, value: Any) -> Any:
    """*value* as *hint* says. Raises UsageError (bad-option)."""
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise UsageError(
                "bad-option", f"{key} is {value!r}", f"one of {', '.join(get_args(hint))}"
            )
        return value
    number = (
        isinstance(value, int | float) and not isinstance(value, bool) and -1e300 < value < 1e300
    )
    if hint is float and number:
        return float(value)
    if hint is int and number and not isinstance(value, float):
        return value
    if hint is bool and isinstance(value, bool):
        return value
    if hint is str and (isinstance(value, str) or (key == "freeze" and number)):
        return str(value)
    if get_origin(hint) is tuple and isinstance(value, list | tuple):
        return tuple(_typed(key, float, one) for one in value)
    if key in TABLES and isinstance(value, Mapping):
        return MappingProxyType(dict(value))
    words = {float: "a number", int: "a whole number", bool: "true or false", str: "text"}
    wanted = words.get(hint, "a table" if key in TABLES else "numbers, as in [1, 2]")
    raise UsageError("bad-option", f"{key} is {value!r}", f"it has to be {wanted}")


def plain(config: Config) -> dict[str, Any]:
    """*config* as plain values, for JSON and a checkpoint."""
    found = {one.name: getattr(config, one.name) for one in fields(Config)}
    tables = {
        name: {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in found[name].items()
        }
        for name in TABLES
    }
    return found | tables | {name: list(found[name]) for name in ("class_weights", "skip_classes")}


def text(config: Config) -> str:
    """*config* as a TOML file that :func:`read` understands; every setting, with what it means."""
    hints = get_type_hints(Config, include_extras=True)
    lines = [
        f"{one.name} = {_toml(getattr(config, one.name))}  # {get_args(hints[one.name])[1]}"
        for one in fields(Config)
        if one.name not in TABLES
    ]
    for name in TABLES:
        if table := getattr(config, name):
            lines += [
                "",
                f"[{name}]",
                *(f"{json.dumps(key)} = {_toml(value)}" for key, value in table.items()),
            ]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    return json.dumps(
        list(value) if isinstance(value, tuple) else value, ensure_ascii=False
    ).replace("\x7f", "\\u007f")
