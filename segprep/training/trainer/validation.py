"""Scores on the validation list, pooled over all of its pixels, shared out over the processes
without counting an image twice.

    >>> from segprep.training.losses import make
    >>> array, spec = np.zeros((40, 50, 3), np.uint8), InputSpec(32, 1, (0,) * 3, (1,) * 3)
    >>> pair, alone = ImagePair("a", array, array[..., 0], (40, 50)), ProcessGroup(0, 1, "cpu")
    >>> validate(nn.Conv2d(3, 2, 1), [pair], spec, make("ce", 2), 2, alone).matrix.sum().item()
    2000
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from segprep.metrics import confusion
from segprep.training.data.pairs import ImagePair, InputSpec
from segprep.training.inference import tiles
from segprep.training.inference.tiles import net_of
from segprep.training.logits import likeliest, mask_of
from segprep.training.losses import Loss
from segprep.training.trainer.distributed import ProcessGroup
from segprep.types import IGNORE


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """The mean *loss*, the confusion *matrix* (C, C), *dice* as the images' mean, no background."""

    loss: float
    matrix: NDArray[np.int64]
    dice: float
    images: int

    @property
    def miou(self) -> float:
        """Mean IoU over the classes that occur."""
        return float(confusion.scores(self.matrix).miou)

    @property
    def accuracy(self) -> float:
        """Share of the counted pixels that are right."""
        return float(np.trace(self.matrix) / max(1, self.matrix.sum()))


def validate(
    network: nn.Module,
    pairs: Sequence[ImagePair],
    view: InputSpec,
    loss: Loss,
    classes: int,
    group: ProcessGroup,
    *,
    batch: int = 8,
    background: int | None = 0,
) -> Figures:
    """*network* (in evaluation mode) on *pairs*, at the scale of *view*.

    Every process gets the figures of all.
    """
    sums = torch.zeros(4, dtype=torch.float64)  # loss, pixels, Dice, images
    matrix = torch.zeros((classes, classes), dtype=torch.int64)
    for pair, logits in predictions(network, pairs, group, view, batch):
        truth = torch.from_numpy(pair.mask.astype(np.int64))
        counted = int((truth != IGNORE).sum())
        with torch.inference_mode():
            value = float(loss(logits[None], truth[None].to(logits.device)))
        cells = confusion.count(pair.mask, likeliest(logits.float().cpu()), classes)
        matrix += torch.from_numpy(cells)
        sums += torch.tensor(
            [value * counted, counted, imagewise_dice(cells, background), 1], dtype=torch.float64
        )
    sums, matrix = group.total(sums), group.total(matrix)
    return Figures(
        float(sums[0] / sums[1].clamp(min=1)),
        matrix.numpy(),
        float(sums[2] / sums[3].clamp(min=1)),
        int(sums[3]),
    )


def at_own_size(
    network: nn.Module,
    pairs: Sequence[ImagePair],
    masks: Iterable[NDArray[np.uint8]],
    view: InputSpec,
    classes: int,
) -> NDArray[np.int64]:
    """The confusion matrix (C, C) of *pairs* against their *masks* at the images' own size."""
    matrix = np.zeros((classes, classes), np.int64)
    alone = ProcessGroup(0, 1, str(next(network.parameters()).device))
    parts = predictions(network, pairs, alone, view, 8)
    for (pair, logits), mask in zip(parts, masks, strict=True):
        matrix += confusion.count(mask, mask_of(tiles.shares(logits[None])[0], pair.size), classes)
    return matrix


def imagewise_dice(cells: NDArray[np.int64], background: int | None) -> float:
    """Mean Dice over the classes but *background* of one image's matrix; a class that neither
    occurs nor is predicted has 1, as pytorch_segmentation counts.
    """
    both, either = np.diag(cells), cells.sum(0) + cells.sum(1)
    scores = np.where(either > 0, 2 * both / np.maximum(either, 1), 1.0)
    kept = np.arange(len(cells)) != (-1 if background is None or len(cells) == 1 else background)
    return float(scores[kept].mean())


def predictions(
    network: nn.Module, pairs: Sequence[ImagePair], group: ProcessGroup, view: InputSpec, batch: int
) -> Iterator[tuple[ImagePair, Tensor]]:
    """Each of this process's pairs with its logits (C, h, w), by the one way of inference."""
    classes = [""] * 2  # their number does not matter for logits
    net = net_of(network, classes, view, group.device)
    own = group.share(range(len(pairs)))
    for first in range(0, len(own), batch):
        some = [pairs[n] for n in own[first : first + batch]]
        images = [pair.image for pair in some]
        yield from zip(some, tiles.logits(net, images, batch=batch), strict=True)
