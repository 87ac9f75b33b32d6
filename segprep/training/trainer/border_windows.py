"""The border weights of the U-Net paper in training: beside image and mask, each window has the
weight of every pixel in the cross-entropy.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from segprep.errors import UsageError
from segprep.train_config import Config
from segprep.training.augmentation.windows import Windows
from segprep.training.losses import names
from segprep.training.losses.border_weights import border_weights
from segprep.types import IGNORE


class Bordered(Dataset[tuple[Tensor, Tensor, Tensor]]):
    """:class:`.data.Windows` with a third tensor (S, S) float32.

    Objects are the connected parts of what is not *background*, in the augmented mask.
    """

    def __init__(self, windows: Windows, background: int | None, w0: float, sigma: float) -> None:
        self.windows, self.background, self.w0, self.sigma = windows, background, w0, sigma

    def __getitem__(self, number: int) -> tuple[Tensor, Tensor, Tensor]:
        """Image (3, S, S), truth (S, S) int64, weights (S, S), 0 where ignored."""
        image, truth = self.windows[number]
        weights = pixel_weights(truth.numpy(), self.background, self.w0, self.sigma)
        return image, truth, torch.from_numpy(weights)


def pixel_weights(
    mask: NDArray[np.integer], background: int | None, w0: float, sigma: float
) -> NDArray[np.float32]:
    """(H, W): 1 on the objects of *mask*, up to 1 + *w0* between two of them, 0 where ignored."""
    return border_weights(objects(mask, background), w0, sigma, ignore=-1)


def objects(mask: NDArray[np.integer], background: int | None) -> NDArray[np.int64]:
    """(H, W) class ids -> ids of the connected parts (also over corners) of each class but
    *background*: 1, 2 …, 0 elsewhere, -1 where ignored.
    """
    from scipy import ndimage

    ids, count = np.zeros(mask.shape, np.int64), 0
    for class_id in np.unique(mask):
        if class_id not in (background, IGNORE):
            parts, number = ndimage.label(mask == class_id, np.ones((3, 3)))
            ids[parts > 0] = parts[parts > 0] + count
            count += number
    ids[mask == IGNORE] = -1
    return ids


def check(config: Config) -> None:
    """Raise UsageError (bad-option) for border weights without a cross-entropy."""
    if config.border and "ce" not in names(config.loss):
        reason = f"border weights with the loss {config.loss}"
        raise UsageError("bad-option", reason, "they weigh the pixels of ce: ce, or ce+dice")
