"""A trained network in three lines of a notebook: see :mod:`segprep.training.inference`."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import nn

from segprep.errors import UsageError
from segprep.training import checkpoints
from segprep.training.data.pairs import InputSpec, at_scale
from segprep.training.devices import pick_device
from segprep.training.inference.overlays import decided
from segprep.training.inference.tiles import check_tile, net_of, probabilities, two
from segprep.training.logits import resized


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A *network* in evaluation mode on *device*, how an image becomes its input (*spec*), and the
    names of its *classes* (a network of one logit has two).
    """

    network: nn.Module
    spec: InputSpec
    classes: tuple[str, ...]
    device: str


def load_model(path: str | Path, *, device: str = "auto") -> Model:
    """The network of the checkpoint at *path*, of ``segprep train`` or ``train-check``.

    Raises SegprepError: unreadable, bad-checkpoint; UsageError (bad-option: a device that is not
    here).
    """
    chip, checkpoint = pick_device(device), checkpoints.load(Path(path))
    network = checkpoints.channels_last(checkpoint.network(), chip)
    return Model(network, checkpoint.view, two(checkpoint.classes), chip)


def predict_image(
    model: Model, image: ArrayLike, *, tile: int | None = None, threshold: float | None = None
) -> NDArray[np.uint8]:
    """The class ids (H, W), uint8, of *image*: (H, W, 3) or (H, W), uint8, uint16, or float32 with
    white at 1; also one of Pillow's, as it lies in memory. The mask has the image's own size, as
    ``segprep predict`` writes it.

    *tile*: the side of the tiles of a large image. *threshold*: of two classes, the second wins
    above this probability. Raises UsageError (bad-option).
    """
    values = given = np.asarray(image)
    if given.ndim == 2:
        values = np.repeat(given[:, :, None], 3, axis=2)
    kinds = (np.uint8, np.uint16, np.float32)
    if values.ndim != 3 or values.shape[2] != 3 or 0 in values.shape or values.dtype not in kinds:
        reason = f"an image of shape {given.shape} and type {given.dtype}"
        raise UsageError("bad-option", reason, "give (H, W, 3) or (H, W), uint8, uint16 or float32")
    if threshold is not None and len(model.classes) != 2:
        raise UsageError("bad-option", "a threshold decides between two classes", "omit it")
    size = values.shape[:2]
    net = net_of(model.network, model.classes, model.spec, model.device)
    side = None if tile is None else check_tile(tile)
    part = probabilities(net, [at_scale(values, model.spec)], side)[0]
    return decided(resized(part, size), threshold)
