"""Scores on the validation list, pooled over all of its pixels, shared out over the processes
without counting an image twice.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from segprep.metrics import confusion
from segprep.training.data.pairs import InputSpec, LabeledImage, brightest, normalized
from segprep.training.logits import TILE, _tiled, framed, likeliest, mask_of
from segprep.training.losses import Loss
from segprep.training.trainer.distributed import ProcessGroup
from segprep.types import IGNORE


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """What a validation found: the *loss* (mean over the counted pixels), the confusion *matrix*
    (C, C), *dice* as the mean over images without background.
    """

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
    pairs: Sequence[LabeledImage],
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
    sums, matrix = (
        torch.zeros(4, dtype=torch.float64),
        torch.zeros((classes, classes), dtype=torch.int64),
    )  # loss, pixels, Dice, images
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
    pairs: Sequence[LabeledImage],
    masks: Iterable[NDArray[np.uint8]],
    view: InputSpec,
    classes: int,
) -> NDArray[np.int64]:
    """The confusion matrix (C, C) of *pairs* against their *masks* at the images' own size."""
    matrix = np.zeros((classes, classes), np.int64)
    for (pair, logits), mask in zip(
        predictions(network, pairs, ProcessGroup(0, 1, _device(network)), view, 8),
        masks,
        strict=True,
    ):
        matrix += confusion.count(
            mask, mask_of(torch.softmax(logits.float(), 0).cpu(), pair.size), classes
        )
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
    network: nn.Module,
    pairs: Sequence[LabeledImage],
    group: ProcessGroup,
    view: InputSpec,
    batch: int,
) -> Iterator[tuple[LabeledImage, Tensor]]:
    """Each of this process's pairs with its logits (C, h, w); images that need a frame of one size
    go through the network together.
    """
    waiting: list[tuple[LabeledImage, Tensor, int, int]] = []
    for n in group.share(range(len(pairs))):
        pair = pairs[n]
        values = torch.from_numpy(pair.image.astype(np.float32)).permute(2, 0, 1) / brightest(
            pair.image.dtype
        )
        frame, top, left = framed(values, view, pair.image.dtype)
        if waiting and (
            waiting[0][1].shape != frame.shape
            or len(waiting) == batch
            or max(frame.shape[1:]) > TILE
        ):
            yield from _together(network, waiting, view, group.device)
            waiting = []
        waiting.append((pair, frame, top, left))
    yield from _together(network, waiting, view, group.device)


def _together(
    network: nn.Module,
    waiting: Sequence[tuple[LabeledImage, Tensor, int, int]],
    view: InputSpec,
    device: str,
) -> Iterator[tuple[LabeledImage, Tensor]]:
    if waiting:
        outputs = _tiled(
            network, normalized(torch.stack([frame for _, frame, _, _ in waiting]), view).to(device)
        )
        for (pair, _, top, left), logits in zip(waiting, outputs, strict=True):
            yield pair, logits[:, top : top + pair.mask.shape[0], left : left + pair.mask.shape[1]]


def _device(network: nn.Module) -> str:
    return str(next(network.parameters()).device)
