"""Any size through one network: whole where that fits, else in overlapping tiles. All scores and
all predictions come from here.

    >>> from segprep.training import models
    >>> spec = InputSpec(64, 1.0, (0.5,) * 3, (0.25,) * 3)
    >>> net = net_of(models.build("mini-unet", 3, 2).eval(), ("a", "b"), spec)
    >>> probabilities(net, [np.zeros((40, 50, 3), np.uint8)])[0].shape
    torch.Size([2, 40, 50])

An image of up to WHOLE pixels goes through in one piece. A larger one is cut into tiles that
overlap so far that what lies beyond a tile hardly matters where it counts; from there on their
logits fade into each other. The outer tiles end where the image's frame does, so that their
borders are those of the whole image. A network of valid convolutions (the U-Net of the paper) is
tiled as the paper does it: the image mirrored at its borders, tiles that lie on the grid of its
poolings; the results are those of the whole image.
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
from segprep.training.devices import exact
from segprep.training.logits import framed
from segprep.training.models.unet_paper import BORDER, ValidUNet, valid_size

# the side of a tile of a large image; the least that may be asked for; what starts of tiles are
# multiples of, so that the poolings of all of them agree
TILE, SMALLEST, PHASE = 1024, 64, 32
WHOLE = 1 << 20  # pixels up to which an image is not cut: a gigabyte for a U-Net of width 64
RIM, FADE = 96, 64  # pixels of a tile's overlap: what counts nothing, and what fades
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
    with torch.inference_mode(), exact(device):
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


def probabilities(
    net: Net, images: Sequence[NDArray[Any]], tile: int | None = None, batch: int = 1
) -> list[Tensor]:
    """(C, h, w) float32 that sum to 1 for each of *images* (h, w, 3) at the scale of the net's
    spec; of one logit, its class and the background before it.
    """
    return [shares(part[None])[0] for part in logits(net, images, tile, batch)]


def logits(
    net: Net, images: Sequence[NDArray[Any]], tile: int | None = None, batch: int = 1
) -> list[Tensor]:
    """(C, h, w) float32, on the CPU, for each of *images* (h, w, 3) at the scale of the net's spec.
    *batch* tiles, also of several images, run at once. *tile*: the side of tiles; by default an
    image of up to WHOLE pixels is not cut.
    """
    canvases = [_canvas(net, image, tile) for image in images]
    sums: list[Tensor | None] = [None] * len(canvases)
    waiting: list[tuple[int, _Piece]] = []
    for n, canvas in enumerate(canvases):
        for piece in _pieces(net, canvas):
            if waiting and (
                len(waiting) >= batch or waiting[0][1].frame.shape != piece.frame.shape
            ):
                _add(net, waiting, canvases, sums)
            waiting.append((n, piece))
    if waiting:
        _add(net, waiting, canvases, sums)
    return [
        cast("Tensor", total)[:, canvas.rows, canvas.columns]
        for total, canvas in zip(sums, canvases, strict=True)
    ]


@dataclass(frozen=True, slots=True, eq=False)
class _Canvas:
    """What is cut: *values* (3, H, W), normalized; the image lies at *rows* and *columns* of it.
    *tile*: the side of its tiles, 0 where it is not cut.
    """

    values: Tensor
    rows: slice
    columns: slice
    tile: int


def _canvas(net: Net, image: NDArray[Any], tile: int | None) -> _Canvas:
    """The image on its padding as in training; for valid convolutions by itself, since they are
    given its mirrored borders.
    """
    height, width = image.shape[:2]
    values = torch.from_numpy(image.astype(np.float32)).permute(2, 0, 1) / brightest(image.dtype)
    top = left = 0
    if net.view.scale is None or net.valid is None:
        values, top, left = framed(values, net.view, image.dtype)
    side = net.side or tile or max(TILE, net.view.size + -net.view.size % PHASE)
    limit = side * side if net.side or tile else WHOLE
    fits = values.shape[1] * values.shape[2] <= limit and (
        not (net.side or tile) or max(values.shape[1:]) <= side
    )
    return _Canvas(
        normalized(values, net.view),
        slice(top, top + height),
        slice(left, left + width),
        0 if fits and not net.side else side,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Span:
    """Along one axis: a tile from *start* on gives the pixels *first* to *last* - 1, each by its
    *weight*. The weights of all tiles sum to 1.
    """

    start: int
    first: int
    last: int
    weight: NDArray[np.float32]


def cuts(length: int, tile: int) -> list[Span]:
    """Overlapping tiles of side *tile* over *length* pixels; the first begins and the last ends
    with them, and only their inner sides fade.

    >>> [(cut.start, cut.first, cut.last) for cut in cuts(128, 64)]
    [(0, 0, 64), (32, 32, 96), (64, 64, 128)]
    """
    if length <= tile:
        return [Span(0, 0, length, np.ones(length, np.float32))]
    overlap = min(2 * RIM + FADE, tile // 2 // PHASE * PHASE)
    rim = (overlap - min(FADE, overlap // 2)) / 2
    last = -(-(length - tile) // PHASE) * PHASE
    starts = [*range(0, last, tile - overlap), last]
    weights = [_ramp(tile, overlap, rim, start > 0, start < last) for start in starts]
    total = np.zeros(last + tile)
    for start, weight in zip(starts, weights, strict=True):
        total[start : start + tile] += weight
    ends = [min(start + tile, length) for start in starts]
    return [
        Span(start, start, end, (weight[: end - start] / total[start:end]).astype(np.float32))
        for start, end, weight in zip(starts, ends, weights, strict=True)
    ]


def _ramp(tile: int, overlap: int, rim: float, before: bool, after: bool) -> NDArray[np.float64]:
    """(tile,) weights: 0 on the *rim*, rising to 1 within the *overlap*, where there is a tile
    *before* or *after*.
    """
    places = np.arange(tile) + 0.5
    depth = np.full(tile, np.inf)
    if before:
        depth = places
    if after:
        depth = np.minimum(depth, tile - places)
    return np.clip((depth - rim) / (overlap - 2 * rim), 1e-6, 1)


def valid_cuts(length: int, tile: int, side: int | None = None) -> tuple[int, list[Span]]:
    """The side of a tile of valid convolutions whose result has *tile* pixels or a few more, and
    tiles whose results lie side by side; starts are of the results.
    """
    side = side or valid_size(min(tile, length) + 2 * BORDER)
    whole = length <= side - 2 * BORDER
    stride = length if whole else (side - 2 * BORDER) // 16 * 16
    parts = [(start, min(start + stride, length)) for start in range(0, length, stride)]
    return side, [
        Span(first, first, last, np.ones(last - first, np.float32)) for first, last in parts
    ]


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """One *frame* (3, h, w) for the network; *rows* and *down* say which part of its result goes
    where.
    """

    frame: Tensor
    down: Span
    across: Span
    valid: bool


def _pieces(net: Net, canvas: _Canvas) -> Iterator[_Piece]:
    height, width = canvas.values.shape[1:]
    if net.valid is not None:
        tile = canvas.tile or max(height, width)
        rows, downs = valid_cuts(height, tile, net.side)
        columns, acrosses = valid_cuts(width, tile, net.side)
    elif canvas.tile:
        downs, acrosses = cuts(height, canvas.tile), cuts(width, canvas.tile)
        rows = canvas.tile if net.side or len(downs) > 1 else height
        columns = canvas.tile if net.side or len(acrosses) > 1 else width
    else:
        downs, acrosses = cuts(height, height), cuts(width, width)
        rows, columns = height, width
    for down in downs:
        band = canvas.values.index_select(1, reflected(down.start - net.border, rows, height))
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


def _add(
    net: Net,
    waiting: list[tuple[int, _Piece]],
    canvases: Sequence[_Canvas],
    sums: list[Tensor | None],
) -> None:
    """Run what is *waiting*, add its logits to the *sums*, and wait for nothing any more."""
    run = net.valid if net.valid is not None and waiting[0][1].valid else net.run
    results = run(torch.stack([piece.frame for _, piece in waiting])).float()
    for (n, piece), result in zip(waiting, results, strict=True):
        down, across = piece.down, piece.across
        part = result[
            :,
            down.first - down.start : down.last - down.start,
            across.first - across.start : across.last - across.start,
        ]
        if bool((down.weight != 1).any() or (across.weight != 1).any()):
            part = part * torch.from_numpy(down.weight)[:, None] * torch.from_numpy(across.weight)
        total = sums[n]
        if total is None:
            total = sums[n] = part.new_zeros(len(part), *canvases[n].values.shape[1:])
        total[:, down.first : down.last, across.first : across.last] += part
    waiting.clear()
