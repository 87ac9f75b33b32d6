"""U-Net (Ronneberger, Fischer and Brox 2015, arXiv:1505.04597) with batch normalization and padded
convolutions, so that a mask comes out for every pixel.

Parameters, 3 channels to 2 classes: 4,318,434 with base 32 and bilinear upsampling, 17,263,042 with
base 64, 7,763,074 with base 32 and transposed convolutions.
"""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from segprep.training.models import Preset
from segprep.training.models._layers import pad_to

PRESETS = {
    "base32": Preset(2, 3, 4_318_434, "pytorch_segmentation, DRIVE"),
    "base64": Preset(2, 3, 17_263_042, "pytorch_segmentation", {"base": 64}),
    "transposed": Preset(2, 3, 7_763_074, "pytorch_segmentation", {"bilinear": False}),
}
DEPTH = 4


def build(
    in_channels: int = 3, classes: int = 2, base: int = 32, bilinear: bool = True
) -> nn.Module:
    """A U-Net of width *base* that maps (N, in_channels, H, W) float to logits (N, classes, H, W),
    for any H and W from 1 up.
    """
    return UNet(in_channels, classes, base, bilinear)


class UNet(nn.Module):
    """Four halvings, four doublings; what was seen before a halving is joined again after the
    doubling.
    """

    def __init__(self, in_channels: int, classes: int, base: int, bilinear: bool) -> None:
        super().__init__()
        widths = [base << level for level in range(DEPTH)]
        deepest = base << DEPTH
        self.first = convolutions(in_channels, base, base)
        # interpolation keeps the channels, so that the level below has to hand up half of them
        # already
        ends = [*widths[1:], deepest // 2 if bilinear else deepest]
        self.down = nn.ModuleList(
            convolutions(start, end, end) for start, end in zip(widths, ends, strict=True)
        )
        self.up = nn.ModuleList(
            Up(2 * width, width if width == base or not bilinear else width // 2, bilinear)
            for width in reversed(widths)
        )
        self.last = nn.Conv2d(base, classes, 1)

    def forward(self, images: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, classes, H, W)."""
        height, width = images.shape[-2:]
        step = 1 << DEPTH
        padded = pad_to(images, step, least=2 * step)
        seen = [self.first(padded)]  # (N, base, H', W')
        for down in self.down:
            seen.append(down(functional.max_pool2d(seen[-1], 2)))  # half the size, twice the width
        features = seen.pop()
        for up in self.up:
            features = up(features, seen.pop())
        return cast("Tensor", self.last(features))[..., :height, :width]


class Up(nn.Module):
    """Double the size, join what was seen at that size, two convolutions."""

    def __init__(self, joined: int, out: int, bilinear: bool) -> None:
        super().__init__()
        half = joined // 2
        self.enlarge: nn.Module = (
            nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
            if bilinear
            else nn.ConvTranspose2d(joined, half, 2, 2)
        )
        self.join = convolutions(joined, half if bilinear else out, out)

    def forward(self, below: Tensor, seen: Tensor) -> Tensor:
        """(N, C, H/2, W/2) and (N, joined/2, H, W) -> (N, out, H, W)."""
        return cast("Tensor", self.join(torch.cat([seen, self.enlarge(below)], dim=1)))


def convolutions(start: int, middle: int, end: int) -> nn.Sequential:
    """Two 3x3 convolutions, each with batch normalization (hence no bias) and ReLU."""
    layers: list[nn.Module] = []
    for a, b in ((start, middle), (middle, end)):
        layers += [
            nn.Conv2d(a, b, 3, padding=1, bias=False),
            nn.BatchNorm2d(b),
            nn.ReLU(inplace=True),
        ]
    return nn.Sequential(*layers)
