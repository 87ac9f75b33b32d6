"""The settings of a training run; every one is a key of the TOML file and an option of
``segprep train``.

Reading and checking them is the business of :mod:`segprep.train_settings`; this module does
without PyTorch, so that ``--help`` is quick.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Annotated, Any, Literal

NONE = "none"
TABLES = (
    "options",
    "augmentation",
)  # [options] in the file, --option NAME=VALUE on the command line
MONITORS = ("loss", "val_loss", "val_miou", "val_dice", "val_accuracy")
FORMER = {"normalise": "normalize"}  # earlier spellings  # codespell:ignore
Normalize = Literal["dataset", "imagenet", "half", "unit", "caffe"]
Fit = Literal["none", "letterbox", "stretch"]
Precision = Literal["none", "float16", "bfloat16"]
Head = Literal["softmax", "sigmoid"]


def _empty() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Config:
    """All settings. Their help texts say what 0 means."""

    arch: Annotated[str, "The model: see segprep models."] = "unet"
    preset: Annotated[str, "One of its published sizes."] = ""
    options: Annotated[Mapping[str, Any], "Its own options: base=16."] = field(
        default_factory=_empty
    )
    channels: Annotated[int, "Channels of the model's input: 3 for color, 1 for gray."] = 3
    head: Annotated[
        Head, "A logit per class, or a single one: the probability of the second of two classes."
    ] = "softmax"
    depth: Annotated[int, "Depth of unetpp, 1 to 4; 0: its preset's."] = 0
    weights: Annotated[str, "Pretrained weights: a file, or an https address with --sha256."] = ""
    sha256: Annotated[str, "The SHA-256 that the weights must have."] = ""
    freeze: Annotated[
        str, "Freeze the first N backbone stages (incl. batch-norm statistics), or `all`."
    ] = ""
    freeze_epochs: Annotated[int, "Epochs to keep them frozen; 0: all of them."] = 0
    freeze_lr: Annotated[float, "Learning rate of the frozen epochs; 0: the same."] = 0.0
    freeze_batch: Annotated[int, "Batch size of the frozen epochs; 0: the same."] = 0
    freeze_norm: Annotated[bool, "Freeze all batch-norm statistics for the whole run."] = False
    train: Annotated[str, "The list to train on."] = "train"
    val: Annotated[str, "The list to validate on; none: without validation."] = "val"
    size: Annotated[int, "Side of the crops in pixels."] = 256
    scale: Annotated[float, "Resize factor applied to every image."] = 1.0
    fit: Annotated[
        Fit, "Fit the whole image into the crop, letterboxed or stretched; none: cut crops from it."
    ] = "none"
    normalize: Annotated[
        Normalize,
        "Mean and std of the train list's pixels (ignored ones excluded), of ImageNet, to -1..1,"
        " to 0..1, or ImageNet's mean subtracted from 0..255.",
    ] = "dataset"
    mean: Annotated[
        tuple[float, ...], "Mean of each channel, 0..1, instead; see segprep stats --mean-std."
    ] = ()
    std: Annotated[tuple[float, ...], "Standard deviation of each channel, 0..1."] = ()
    augment: Annotated[
        str,
        "windows (flips, quarter turns, small rotations and zooms, light and color), none, or a"
        " preset of docs/augmentation.md.",
    ] = "windows"
    augmentation: Annotated[Mapping[str, Any], "Its parameters, over the preset's: rotation=5."] = (
        field(default_factory=_empty)
    )
    loss: Annotated[
        str,
        "ce, focal, dice, dice-all, dice-image, bce, bce-dice, lovasz, lovasz-hinge, or a sum:"
        " focal+dice.",
    ] = "ce+dice"
    class_weights: Annotated[tuple[float, ...], "One number per class: 1,2."] = ()
    skip_classes: Annotated[tuple[float, ...], "Class ids that the loss ignores: 0."] = ()
    border: Annotated[
        float, "w0 of the U-Net paper's border weights in ce (10 there); 0: none."
    ] = 0.0
    border_sigma: Annotated[float, "Their reach in pixels."] = 5.0
    optimizer: Annotated[str, "sgd, adam, adamw or rmsprop."] = "adamw"
    lr: Annotated[float, "Peak learning rate."] = 1e-3
    momentum: Annotated[float, "Momentum of sgd and rmsprop; Adam's first beta."] = 0.9
    nesterov: Annotated[bool, "Nesterov momentum (sgd)."] = False
    weight_decay: Annotated[float, "Weight decay."] = 1e-4
    clip: Annotated[float, "Largest norm of the gradient; 0: not clipped."] = 1.0
    schedule: Annotated[str, "constant, polynomial, cosine, step, exponential or plateau."] = (
        "cosine"
    )
    warm_up: Annotated[float, "Epochs in which the learning rate rises."] = 0.0
    start: Annotated[float, "Share of the learning rate at the start of the warm-up."] = 0.001
    rise: Annotated[float, "Power of the warm-up: 1 linear, 2 quadratic."] = 1.0
    flat: Annotated[float, "Epochs at the end with the final learning rate."] = 0.0
    end: Annotated[
        float, "Final (polynomial, cosine) or least (step, …) share of the learning rate."
    ] = 0.0
    power: Annotated[float, "Power of polynomial."] = 0.9
    factor: Annotated[
        float, "Factor of step, exponential and plateau; 0: 0.1, exponential 0.96."
    ] = 0.0
    every: Annotated[
        float, "Epochs between two steps of the schedule; plateau: epochs without improvement."
    ] = 1.0
    epochs: Annotated[int, "Epochs."] = 50
    steps_per_epoch: Annotated[int, "Optimizer steps per epoch; 0: each image once."] = 0
    validate_every: Annotated[int, "Validate every N epochs, and after the last."] = 1
    validation_steps: Annotated[
        int, "Images to validate on per epoch; 0: the whole list, as always in the end."
    ] = 0
    batch: Annotated[int, "Crops per step and process."] = 8
    monitor: Annotated[
        str,
        f"Selects the best epoch: {', '.join(MONITORS)}.  [default: val_miou; loss without"
        " validation]",
    ] = ""
    patience: Annotated[int, "Stop after N epochs without improvement; 0: never."] = 0
    min_delta: Annotated[float, "Least improvement for --patience, absolute."] = 0.001
    save_every: Annotated[int, "Save a checkpoint every N epochs; 0: best and last only."] = 0
    pictures: Annotated[
        int, "Every N epochs, a sheet of images, ground truth and predictions; 0: none."
    ] = 0
    amp: Annotated[Precision, "Mixed precision; faster on a GPU."] = "none"
    channels_last: Annotated[bool, "Channels-last memory layout."] = True
    compile: Annotated[bool, "torch.compile; on a GPU only."] = False
    deterministic: Annotated[
        bool, "The same bits in every run on a GPU too, and exact resuming; slower."
    ] = False
    sync_bn: Annotated[bool, "Batch normalization over all processes; on GPUs only."] = False
    tensorboard: Annotated[bool, "Write event files for TensorBoard."] = True
    workers: Annotated[int, "Processes that load data; results do not depend on it."] = 0
    device: Annotated[str, "auto, cpu, cuda, cuda:1 …"] = "auto"
    seed: Annotated[int, "Random seed: same seed, same machine, same numbers."] = 0


# fmt: off
RANGES: Mapping[str, tuple[float, float]] = {
    "channels": (1, 3), "depth": (0, 4),
    "freeze_epochs": (0, 1e6), "freeze_lr": (0, 1e3), "freeze_batch": (0, 4096),
    "size": (16, 8192), "scale": (0.001, 16), "border": (0, 1e6), "border_sigma": (0.01, 1e4),
    "lr": (1e-12, 1e3), "momentum": (0, 0.9999), "weight_decay": (0, 10), "clip": (0, 1e9),
    "warm_up": (0, 1e6), "start": (0, 1), "rise": (0.01, 100), "flat": (0, 1e6), "end": (0, 1),
    "power": (1e-3, 100), "factor": (0, 1), "every": (1e-3, 1e6),
    "epochs": (1, 1e6), "steps_per_epoch": (0, 1e7), "validate_every": (1, 1e6),
    "validation_steps": (0, 1e9), "batch": (1, 4096), "patience": (0, 1e6), "min_delta": (0, 1e9),
    "save_every": (0, 1e6), "pictures": (0, 1e6), "workers": (0, 256), "seed": (0, 2**63 - 1),
}
# fmt: on


def outputs(head: str, classes: int) -> int:
    """How many logits a network of this *head* has for so many *classes*."""
    return 1 if head == "sigmoid" else classes
