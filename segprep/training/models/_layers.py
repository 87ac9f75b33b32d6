"""Layers that several networks share: padding to a size that halves evenly, pairs of convolutions,
first weights.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional


def pad_to(images: Tensor, step: int, least: int = 0) -> Tensor:
    """(N, C, H, W) -> (N, C, H', W'), both the next multiple of *step* from *least* up: the last
    row and column are repeated, so crop with [..., :H, :W].

    Where a network normalizes by batch statistics, *least* keeps more than one pixel at its deepest
    level, without which one image is not a batch.
    """
    right, below = (
        max(least, size + -size % step) - size for size in (images.shape[-1], images.shape[-2])
    )
    return functional.pad(images, (0, right, 0, below), mode="replicate")


class AnySize(nn.Module):
    """For images of any size: they are padded to a multiple of *step*, the logits cropped."""

    step, least = 16, 0

    def forward(self, images: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, classes, H, W)."""
        height, width = images.shape[-2:]
        logits = self._logits(pad_to(images, self.step, self.least))
        return cast("Tensor", logits)[..., :height, :width]

    def _logits(self, images: Tensor) -> Any:
        """(N, in_channels, H', W') -> (N, classes, H', W')."""
        raise NotImplementedError


def mirror(images: Tensor, before: tuple[int, int], after: tuple[int, int]) -> Tensor:
    """(N, C, H, W) with *before* rows and columns ahead and *after* behind, mirrored about the edge
    pixel, however small the image is.

    PyTorch's own reflection needs an image larger than the padding.
    """
    for axis in (0, 1):
        size = images.shape[axis - 2]
        source = reflected(-before[axis], before[axis] + size + after[axis], size)
        images = images.index_select(axis - 2, source.to(images.device))
    return images


def reflected(start: int, count: int, length: int) -> Tensor:
    """(count,) where pixels *start* and on lie in an axis of *length* that is mirrored about its
    edge pixels, again and again.

    >>> reflected(-2, 8, 4).tolist()
    [2, 1, 0, 1, 2, 3, 2, 1]
    """
    period = max(2 * (length - 1), 1)
    position = torch.arange(start, start + count) % period
    return torch.where(position < length, position, period - position)


def crop_center(images: Tensor, height: int, width: int) -> Tensor:
    """The middle (N, C, height, width) of (N, C, H, W)."""
    top, left = (images.shape[-2] - height) // 2, (images.shape[-1] - width) // 2
    return images[..., top : top + height, left : left + width]


def conv_relu(start: int, end: int, padding: int = 1, dropout: float = 0.0) -> nn.Sequential:
    """Two 3x3 convolutions with ReLU, no normalization; *dropout* stands between them."""
    first = [nn.Conv2d(start, end, 3, padding=padding), nn.ReLU(inplace=True)]
    second = [nn.Conv2d(end, end, 3, padding=padding), nn.ReLU(inplace=True)]
    return nn.Sequential(*first, *([nn.Dropout(dropout)] if dropout else []), *second)


def conv_norm(
    start: int, middle: int, end: int, *, bias: bool = False, norm: bool = True
) -> nn.Sequential:
    """Two 3x3 convolutions with ReLU, by default each with batch normalization, before which a
    *bias* does nothing.
    """
    layers: list[nn.Module] = []
    for a, b in ((start, middle), (middle, end)):
        layers += [nn.Conv2d(a, b, 3, padding=1, bias=bias or not norm)]
        layers += [nn.BatchNorm2d(b)] if norm else []
        layers += [nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


def he_normal(network: nn.Module) -> None:
    """First weights after He et al. 2015: without normalization the signal dies with others."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)


class Join(nn.Module):
    """Enlarge what comes from below, put what was seen at that size beside it, convolve."""

    def __init__(self, enlarge: nn.Module, convolve: nn.Module) -> None:
        super().__init__()
        self.enlarge, self.convolve = enlarge, convolve

    def forward(self, seen: Tensor, below: Tensor) -> Tensor:
        """(N, A, H, W) and (N, B, H/2, W/2) -> (N, C, H, W)."""
        return cast("Tensor", self.convolve(torch.cat([seen, self.enlarge(below)], dim=1)))


class Place(NamedTuple):
    """Along one axis: *side* pixels from *start* on, of an image of *whole* pixels. Both may be
    tensors without axes: the inputs of an ONNX file.
    """

    start: int | Tensor
    side: int
    whole: int | Tensor


class Enlarge(nn.Module):
    """Twice the size, bilinear, corners on corners. What a value is made of depends on the size of
    the whole image then: of tiles, *places* says where each (or a single one: all) lies in theirs,
    down and across.
    """

    places: Sequence[tuple[Place, Place]] = ()

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) -> (N, C, 2 h, 2 w)."""
        if not self.places:
            return functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)
        tiles = torch.split(x, 1) if len(self.places) > 1 else [x]
        parts = zip(tiles, self.places, strict=True)
        return torch.cat(
            [_twice(_twice(part, 2, down), 3, across) for part, (down, across) in parts]
        )


def _twice(x: Tensor, axis: int, position: Place) -> Tensor:
    """*x* at twice the size along *axis*, as the whole image would be enlarged there."""
    size = x.shape[axis]
    factor = position.side // size
    start, whole = position.start // factor, position.whole // factor
    scale = torch.as_tensor(whole - 1).float() / (2 * whole - 1)  # as PyTorch counts
    source = (torch.arange(2 * size) + 2 * start).float() * scale
    low = source.floor()
    share = (source - low).view([-1 if at == axis else 1 for at in range(4)]).to(x.device)
    first = (low.long() - start).to(x.device)
    near, far = (x.index_select(axis, (first + n).clamp(0, size - 1)) for n in (0, 1))
    return torch.lerp(near, far, share.to(x.dtype))


@contextmanager
def placed(network: nn.Module, places: Sequence[tuple[Place, Place]]) -> Iterator[None]:
    """While it lasts, *network* takes its images for the tiles at *places* (none: whole images)."""
    enlarging = [module for module in network.modules() if isinstance(module, Enlarge)]
    for module in enlarging:
        module.places = places
    try:
        yield
    finally:
        for module in enlarging:
            module.places = ()


def nearest() -> nn.Module:
    """Twice the size, each pixel four times."""
    return nn.Upsample(scale_factor=2, mode="nearest")
