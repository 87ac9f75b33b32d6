"""Any size through one network: whole where that is small, else in overlapping tiles.

A network of valid convolutions (the U-Net of the paper) is tiled as the paper does it: the image
mirrored at its borders, tiles that lie on the grid of its poolings. Their results are those of the
whole image. Other networks pad inside, so what a tile says of its rim is not what the whole image
would say: tiles overlap by a quarter, their rims count nothing, and from there on the probabilities
fade into each other.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from segprep.errors import UsageError
from segprep.training.data.pairs import InputSpec, brightest, normalized
from segprep.training.logits import framed
from segprep.training.models.unet_paper import BORDER, ValidUNet, valid_size

TILE, SMALLEST, PHASE = (
    512,
    64,
    32,
    # the usual side; the least; what starts of tiles are multiples of, so that the poolings of all
    # of
    # them agree
)
Forward = Callable[[Tensor], Tensor]  # (N, 3, h, w) normalized -> logits (N, C, h', w')


@dataclass(frozen=True, slots=True, eq=False)
class Net:
    """A network ready to predict. *run* gives logits of the same size; *valid*, where there is one,
    gives those without a rim of *border* pixels.

    *classes* are as many as there are probabilities (one logit is the second of two). *side*: the
    only size that *run* takes.
    """

    classes: tuple[str, ...]
    view: InputSpec
    run: Forward
    valid: Forward | None = None
    border: int = 0
    side: int | None = None


def net_of(network: nn.Module, classes: Sequence[str], view: InputSpec, device: str = "cpu") -> Net:
    """*network*, in evaluation mode and on *device*, as a Net."""
    valid = partial(_logits, network.tile, device) if isinstance(network, ValidUNet) else None
    return Net(two(classes), view, partial(_logits, network, device), valid, BORDER if valid else 0)


def two(classes: Sequence[str]) -> tuple[str, ...]:
    """*classes*, of which a single one has the background before it: its network has one logit."""
    return ("_background_", *classes) if len(classes) == 1 else tuple(classes)


def _logits(network: Callable[[Tensor], Any], device: str, images: Tensor) -> Tensor:
    with torch.inference_mode():
        outputs = network(images.to(device).contiguous(memory_format=torch.channels_last))
    return cast("Tensor", outputs[-1] if isinstance(outputs, list | tuple) else outputs).cpu()


def shares(logits: Tensor) -> Tensor:
    """(N, C, h, w) probabilities of *logits*; one channel is the second of two classes."""
    if logits.shape[1] == 1:
        second = torch.sigmoid(logits)
        return torch.cat([1 - second, second], 1)
    return torch.softmax(logits, 1)


def check_tile(tile: int) -> int:
    """*tile*. Raises UsageError (bad-option): not a multiple of 32 from 64 to 16384."""
    if tile % PHASE or not SMALLEST <= tile <= 1 << 14:
        raise UsageError(
            "bad-option",
            f"--tile {tile}",
            f"the side of a tile is a multiple of {PHASE} from {SMALLEST} to 16384",
        )
    return tile


def usual(view: InputSpec) -> int:
    """The side of a tile where none is given: 512, or what the network was trained on if that is
    more.
    """
    return max(TILE, view.size + -view.size % PHASE)


def probabilities(
    net: Net, images: Sequence[NDArray[Any]], tile: int = TILE, batch: int = 1
) -> list[Tensor]:
    """(C, h, w) float32 that sum to 1 for each of *images* (h, w, 3) at the scale of the net's
    view. *batch* tiles, also of several images, run at once.
    """
    canvases = [_canvas(net, image, tile) for image in images]
    sums = [torch.zeros(len(net.classes), *canvas.values.shape[1:]) for canvas in canvases]
    waiting: list[tuple[int, _Piece]] = []
    for n, canvas in enumerate(canvases):
        for piece in _pieces(net, canvas.values, tile):
            if waiting and (
                len(waiting) >= batch or waiting[0][1].frame.shape != piece.frame.shape
            ):
                _add(net, waiting, sums)
            waiting.append((n, piece))
    if waiting:
        _add(net, waiting, sums)
    return [
        total[:, canvas.rows, canvas.columns] for total, canvas in zip(sums, canvases, strict=True)
    ]


@dataclass(frozen=True, slots=True, eq=False)
class _Canvas:
    """What is cut: *values* (3, H, W), normalized; the image lies at *rows* and *columns* of it."""

    values: Tensor
    rows: slice
    columns: slice


def _canvas(net: Net, image: NDArray[Any], tile: int) -> _Canvas:
    """An image that fits a tile, or is letterboxed, stands on its padding as in training; a larger
    one on its own.
    """
    height, width = image.shape[:2]
    values = torch.from_numpy(image.astype(np.float32)).permute(2, 0, 1) / brightest(image.dtype)
    top = left = 0
    if net.view.scale is None or (net.valid is None and max(height, width) <= (net.side or tile)):
        values, top, left = framed(values, net.view, image.dtype)
    return _Canvas(
        normalized(values, net.view), slice(top, top + height), slice(left, left + width)
    )


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """Along one axis: a tile from *start* on gives the pixels *first* to *last* - 1, each by its
    *weight*. The weights of all tiles sum to 1.
    """

    start: int
    first: int
    last: int
    weight: NDArray[np.float32]


def cuts(length: int, tile: int) -> list[Cut]:
    """Overlapping tiles of side *tile* over *length* pixels; the first begins, and the last ends,
    outside, where the image is mirrored.

    >>> [(cut.start, cut.first, cut.last) for cut in cuts(100, 64)]
    [(-16, 0, 48), (16, 16, 80), (48, 48, 100)]
    """
    if length <= tile:
        return [Cut(0, 0, length, np.ones(length, np.float32))]
    stride = 3 * tile // 4 // PHASE * PHASE
    overlap = tile - stride
    rim = overlap / 4
    depth = np.minimum(np.arange(tile) + 0.5, tile - np.arange(tile) - 0.5)
    ramp = np.clip((depth - rim) / (overlap - 2 * rim), 0, 1)
    tiles, total = [], np.zeros(length)
    for start in range(-(overlap // 2), length - tile + overlap // 2 + stride, stride):
        first, last = max(start, 0), min(start + tile, length)
        weight = ramp[first - start : last - start]
        total[first:last] += weight
        tiles.append(Cut(start, first, last, weight))
    return [
        Cut(
            cut.start,
            cut.first,
            cut.last,
            (cut.weight / total[cut.first : cut.last]).astype(np.float32),
        )
        for cut in tiles
    ]


def valid_cuts(length: int, tile: int, side: int | None = None) -> tuple[int, list[Cut]]:
    """The side of a tile of valid convolutions whose result has *tile* pixels or a few more, and
    tiles whose results lie side by side; starts are of the results.
    """
    side = side or valid_size(min(tile, length) + 2 * BORDER)
    whole = length <= side - 2 * BORDER
    stride = length if whole else (side - 2 * BORDER) // 16 * 16
    parts = [(start, min(start + stride, length)) for start in range(0, length, stride)]
    return side, [
        Cut(first, first, last, np.ones(last - first, np.float32)) for first, last in parts
    ]


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """One *frame* (3, h, w) for the network; *rows* and *down* say which part of its result goes
    where.
    """

    frame: Tensor
    down: Cut
    across: Cut
    valid: bool


def _pieces(net: Net, canvas: Tensor, tile: int) -> Iterator[_Piece]:
    height, width = canvas.shape[1:]
    if net.valid is not None:
        (rows, downs), (columns, acrosses) = (
            valid_cuts(height, tile, net.side),
            valid_cuts(width, tile, net.side),
        )
    elif net.side is not None:
        rows = columns = net.side
        downs, acrosses = cuts(height, rows), cuts(width, columns)
    else:
        downs, acrosses = cuts(height, tile), cuts(width, tile)
        rows, columns = height if len(downs) == 1 else tile, width if len(acrosses) == 1 else tile
    for down in downs:
        band = canvas.index_select(1, reflected(down.start - net.border, rows, height))
        for across in acrosses:
            yield _Piece(
                band.index_select(2, reflected(across.start - net.border, columns, width)),
                down,
                across,
                net.valid is not None,
            )


def reflected(start: int, count: int, length: int) -> Tensor:
    """(count,) where pixels *start* and on lie in an axis of *length* that is mirrored about its
    edge pixels, again and again.

    >>> reflected(-2, 8, 4).tolist()
    [2, 1, 0, 1, 2, 3, 2, 1]
    """
    period = max(2 * (length - 1), 1)
    position = torch.arange(start, start + count) % period
    return torch.where(position < length, position, period - position)


def _add(net: Net, waiting: list[tuple[int, _Piece]], sums: list[Tensor]) -> None:
    """Forward what is *waiting*, add it to what is *sums*, and wait for nothing any more."""
    run = net.valid if net.valid is not None and waiting[0][1].valid else net.run
    results = shares(run(torch.stack([piece.frame for _, piece in waiting])))
    for (n, piece), result in zip(waiting, results, strict=True):
        down, across = piece.down, piece.across
        part = result[
            :,
            down.first - down.start : down.last - down.start,
            across.first - across.start : across.last - across.start,
        ]
        if len(down.weight) and bool((down.weight != 1).any() or (across.weight != 1).any()):
            part = part * torch.from_numpy(down.weight)[:, None] * torch.from_numpy(across.weight)
        sums[n][:, down.first : down.last, across.first : across.last] += part
    waiting.clear()
