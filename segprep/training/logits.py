"""From a trained network and an image to class probabilities, and to a mask at its own size."""

from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from segprep.training.data.pairs import InputSpec, LabeledImage, brightest, normalized, padding

TILE, MARGIN = (
    512,
    48,
    # a tile's side, and how much of its rim is not used: half of what a pixel's surroundings
    # usually
    # matter
)
STEP = 16


@torch.inference_mode()
def probabilities(
    network: nn.Module, image: NDArray[Any], view: InputSpec, device: str = "cpu"
) -> Tensor:
    """(C, h, w) float32 that sum to 1, for *image* (h, w, 3) at the scale of *view*.

    The network has to be in evaluation mode.
    """
    height, width = image.shape[:2]
    values = torch.from_numpy(image.astype(np.float32)).permute(2, 0, 1) / brightest(image.dtype)
    padded, top, left = framed(values, view, image.dtype)
    logits = _tiled(network, normalized(padded, view)[None].to(device))[0]
    return torch.softmax(logits, 0)[:, top : top + height, left : left + width].cpu()


def framed(values: Tensor, view: InputSpec, dtype: np.dtype[Any]) -> tuple[Tensor, int, int]:
    """*values* (3, h, w) on a frame of padding, as in training, and where its upper left corner
    lies.

    A letterboxed image gets its square; any other at least a window, with sides that are multiples
    of 16.
    """
    height, width = values.shape[1:]
    if view.scale is None:
        rows = columns = view.size
    else:
        rows, columns = (max(view.size, side + -side % STEP) for side in (height, width))
    frame = torch.from_numpy(padding(view, dtype))[:, None, None].repeat(1, rows, columns)
    top, left = (rows - height) // 2, (columns - width) // 2
    frame[:, top : top + height, left : left + width] = values
    return frame, top, left


def _tiled(network: nn.Module, images: Tensor) -> Tensor:
    """Logits (1, C, H, W) of *images* (1, 3, H, W), whole where that is small, else in overlapping
    tiles of which the middle is kept.
    """
    height, width = images.shape[2:]
    if max(height, width) <= TILE:
        return _logits(network, images)
    logits: Tensor | None = None
    for top, first_row, last_row in _cuts(height):
        for left, first, last in _cuts(width):
            tile = _logits(network, images[:, :, top : top + TILE, left : left + TILE])
            if logits is None:
                logits = tile.new_empty(1, tile.shape[1], height, width)
            logits[:, :, first_row:last_row, first:last] = tile[
                :, :, first_row - top : last_row - top, first - left : last - left
            ]
    assert logits is not None
    return logits


def _cuts(side: int) -> list[tuple[int, int, int]]:
    """(start, first, last) of tiles along one axis: each starts at *start*, and gives the pixels
    from *first* up to *last*.
    """
    if side <= TILE:
        return [(0, 0, side)]
    stride = TILE - 2 * MARGIN
    starts = [*range(0, side - TILE, stride), side - TILE]
    ends = [start + TILE - MARGIN for start in starts[:-1]] + [side]
    return list(zip(starts, [0, *ends[:-1]], ends, strict=True))


def _logits(network: nn.Module, images: Tensor) -> Tensor:
    with torch.inference_mode():
        outputs = network(images.contiguous(memory_format=torch.channels_last))
    return cast("Tensor", outputs[-1] if isinstance(outputs, list | tuple) else outputs)


def likeliest(scores: Tensor) -> NDArray[np.uint8]:
    """(h, w) the class of the largest of (C, h, w), the first of equal ones: an argmax over few
    classes, at a tenth of its cost.
    """
    values = scores.numpy()
    top, best = values[0].copy(), np.zeros(values.shape[1:], np.uint8)
    for n in range(1, len(values)):
        best[values[n] > top] = n
        np.maximum(top, values[n], out=top)
    return best


def mask_of(scores: Tensor, size: tuple[int, int]) -> NDArray[np.uint8]:
    """The likeliest class (H, W) at *size*, from probabilities (C, h, w), which are interpolated
    first.
    """
    if tuple(scores.shape[1:]) != tuple(size):
        scores = functional.interpolate(scores[None], size, mode="bilinear", align_corners=False)[0]
    return likeliest(scores)


def predicted(
    network: nn.Module, pair: LabeledImage, view: InputSpec, device: str = "cpu"
) -> NDArray[np.uint8]:
    """The mask that *network* gives for *pair* (already at the scale of *view*), at its own size on
    disk.
    """
    return mask_of(probabilities(network, pair.image, view, device), pair.size)
