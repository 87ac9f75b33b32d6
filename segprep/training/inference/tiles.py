"""Any size through one network: whole where that fits, else in overlapping tiles. All scores and
all predictions come from here.

    >>> from segprep.training import models
    >>> spec = InputSpec(64, 1.0, (0.5,) * 3, (0.25,) * 3)
    >>> net = net_of(models.build("mini-unet", 3, 2).eval(), ("a", "b"), spec)
    >>> probabilities(net, [np.zeros((40, 50, 3), np.uint8)])[0].shape
    torch.Size([2, 40, 50])

An image of up to WHOLE pixels goes through in one piece, and so does a larger one that fits the
memory (:mod:`.memory`). What does not is cut into tiles that overlap by as much as the network
looks (:mod:`.reach`), on the grid of its poolings, and that know where they lie: the logits are
those of the whole image. Where a tile is too small for that, or the network looks at everything at
once, the overlap is smaller and logits fade into each other. A network of valid convolutions (the
U-Net of the paper) is tiled as the paper does it: the image mirrored at its borders; the results
are those of the whole image.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from segprep.errors import UsageError
from segprep.training.data.pairs import InputSpec, brightest, normalized
from segprep.training.devices import exact, out_of_memory
from segprep.training.inference.memory import room
from segprep.training.inference.reach import reach
from segprep.training.inference.spans import PHASE, Span, cuts, overlap_of, valid_cuts
from segprep.training.logits import framed
from segprep.training.models._layers import Place, placed, reflected
from segprep.training.models.unet_paper import BORDER, ValidUNet

TILE, SMALLEST = 1024, 64  # the side of a tile of a large image; the least that may be asked for
WHOLE = 1 << 20  # pixels up to which nobody asks for memory: a gigabyte for a U-Net of width 64
# (N, 3, h, w) normalized, and where each lies in its image -> logits (N, C, h', w')
Forward = Callable[[Tensor, Sequence[tuple[Place, Place]]], Tensor]


@dataclass(frozen=True, slots=True, eq=False)
class Net:
    """A network ready to predict. *run* gives logits of the same size; *valid*, where there is one,
    gives those without a rim of *border* pixels.

    *classes* are as many as there are probabilities (one logit is the second of two). *side*: the
    only size that *run* takes. *reach* gives how far the network looks, None if that is not known;
    *room* how many pixels of it fit the memory.
    """

    classes: tuple[str, ...]
    view: InputSpec
    run: Forward
    valid: Forward | None = None
    border: int = 0
    side: int | None = None
    reach: Callable[[], int | None] = lambda: None
    room: Callable[[], int] = lambda: 0


def net_of(
    network: nn.Module,
    classes: Sequence[str],
    view: InputSpec,
    device: str = "cpu",
    processes: int = 1,
) -> Net:
    """*network*, in evaluation mode and on *device*, whose memory so many *processes* share, as a
    Net.
    """
    run, valid = partial(_logits, network, network, device), None
    if isinstance(network, ValidUNet):
        valid = partial(_logits, network, network.tile, device)
    look = cache(partial(reach, network, view.channels))
    fits = cache(partial(room, network, view.channels, len(classes), device, processes))
    return Net(two(classes), view, run, valid, BORDER if valid else 0, reach=look, room=fits)


def two(classes: Sequence[str]) -> tuple[str, ...]:
    """*classes*, of which a single one has the background before it: its network has one logit."""
    return ("_background_", *classes) if len(classes) == 1 else tuple(classes)


def _logits(
    network: nn.Module,
    forward: Callable[[Tensor], Any],
    device: str,
    images: Tensor,
    places: Sequence[tuple[Place, Place]],
) -> Tensor:
    with torch.inference_mode(), exact(device), placed(network, places):
        outputs = forward(images.to(device).contiguous(memory_format=torch.channels_last))
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
        reason = f"--tile {tile}"
        hint = f"the side of a tile is a multiple of {PHASE} from {SMALLEST} to 16384"
        raise UsageError("bad-option", reason, hint)
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
    *batch* tiles, also of several images, run at once if they fit the memory. *tile*: the side of
    tiles; by default an image is cut only if it does not fit.
    """
    try:
        return _sums(net, images, tile, batch)
    except (MemoryError, RuntimeError) as error:
        if net.side or tile or net.reach() is None or not out_of_memory(error):
            raise
    return _sums(net, images, _tile(net), 1)  # the room was taken for larger than it is


def _sums(net: Net, images: Sequence[NDArray[Any]], tile: int | None, batch: int) -> list[Tensor]:
    canvases = [_canvas(net, image, tile) for image in images]
    sums: list[Tensor | None] = [None] * len(canvases)
    waiting: list[tuple[int, _Piece]] = []
    for n, canvas in enumerate(canvases):
        for piece in _pieces(net, canvas):
            pixels = (len(waiting) + 1) * piece.frame.shape[1] * piece.frame.shape[2]
            full = len(waiting) >= batch or (pixels > WHOLE and pixels > net.room())
            if waiting and (full or not waiting[0][1].fits(piece)):
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
    """The image on its padding as in training; for valid convolutions by itself."""
    height, width = image.shape[:2]
    values = torch.from_numpy(image.astype(np.float32)).permute(2, 0, 1) / brightest(image.dtype)
    top = left = 0
    if net.view.scale is None or net.valid is None:
        values, top, left = framed(values, net.view, image.dtype)
    rows, columns = slice(top, top + height), slice(left, left + width)
    side = _side(net, values.shape[1], values.shape[2], tile)
    return _Canvas(normalized(values, net.view), rows, columns, side)


def _side(net: Net, height: int, width: int, tile: int | None) -> int:
    """The side of the tiles of a canvas of (*height*, *width*); 0 where it is not cut."""
    if net.side or tile:
        side = net.side or tile or 0
        return side if net.side or max(height, width) > side else 0
    if height * width <= WHOLE or height * width <= net.room():
        return 0
    return _tile(net)


def _tile(net: Net) -> int:
    """The side of the tiles of an image that does not fit."""
    overlap, _ = overlap_of(TILE, net.reach())
    return max(TILE, net.view.size + -net.view.size % PHASE, 2 * overlap)


def shortened(net: Net, size: tuple[int, ...], tile: int | None) -> bool:
    """Whether an image of *size* (h, w), at the scale of the net's spec, is cut into tiles that
    overlap by less than the network looks, or is smaller than the only size that it takes, so that
    labels may differ from the whole image's.
    """
    least = net.view.size
    height, width = (max(least, side + -side % PHASE) if net.view.scale else least for side in size)
    side = _side(net, height, width, tile) if net.valid is None else 0
    if net.side and min(height, width) < side:
        return True  # what is added around the image is seen
    if not side or max(height, width) <= side:
        return False
    look = net.reach()
    return look is None or overlap_of(side, look)[1] < look or bool((height | width) % PHASE)


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """A *frame* (3, h, w) for the network, which part of its result goes where, and its *position*
    in the image, None where that is whole, or not on the grid of poolings.
    """

    frame: Tensor
    down: Span
    across: Span
    position: tuple[Place, Place] | None

    def fits(self, other: "_Piece") -> bool:
        """Whether both can run at once."""
        return self.frame.shape == other.frame.shape and bool(self.position) == bool(other.position)


def _pieces(net: Net, canvas: _Canvas) -> Iterator[_Piece]:
    height, width = canvas.values.shape[1:]
    if net.valid is not None:
        tile = canvas.tile or max(height, width)
        rows, downs = valid_cuts(height, tile, net.side)
        columns, acrosses = valid_cuts(width, tile, net.side)
    elif canvas.tile:
        look = net.reach() if max(height, width) > canvas.tile else None
        downs, acrosses = (cuts(length, canvas.tile, look) for length in (height, width))
        rows = canvas.tile if net.side or len(downs) > 1 else height
        columns = canvas.tile if net.side or len(acrosses) > 1 else width
    else:
        downs, acrosses = cuts(height, height), cuts(width, width)
        rows, columns = height, width
    for down in downs:
        band = canvas.values.index_select(1, reflected(down.start - net.border, rows, height))
        for across in acrosses:
            frame = band.index_select(2, reflected(across.start - net.border, columns, width))
            starts, sides = (down.start, across.start), (rows, columns)
            on_grid = canvas.tile and not (height | width) % PHASE and min(sides) >= SMALLEST
            position = tuple(map(Place, starts, sides, (height, width))) if on_grid else None
            yield _Piece(frame, down, across, cast("tuple[Place, Place] | None", position))


def _add(
    net: Net,
    waiting: list[tuple[int, _Piece]],
    canvases: Sequence[_Canvas],
    sums: list[Tensor | None],
) -> None:
    """Run what is *waiting*, add its logits to the *sums*, and wait for nothing any more."""
    frames = torch.stack([piece.frame for _, piece in waiting])
    places = [piece.position for _, piece in waiting if piece.position]
    results = (net.valid or net.run)(frames, places).float()
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
