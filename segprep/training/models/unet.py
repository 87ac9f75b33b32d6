"""U-Net (Ronneberger, Fischer and Brox 2015, arXiv:1505.04597) with batch normalization and padded
convolutions, so that a mask comes out for every pixel.

Parameters, 3 channels to 2 classes: 4,318,434 with base 32 and bilinear upsampling, 17,263,042 with
base 64, 7,763,074 with base 32 and transposed convolutions.
"""

from typing import Any, Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from segprep.training.models import Preset
from segprep.training.models._layers import AnySize, Enlarge, conv_norm, he_normal

PRESETS = {
    "base32": Preset(2, 3, 4_318_434, "pytorch_segmentation, DRIVE"),
    "base64": Preset(2, 3, 17_263_042, "pytorch_segmentation", {"base": 64}),
    "transposed": Preset(2, 3, 7_763_074, "pytorch_segmentation", {"bilinear": False}),
}
DEPTH = 4


class UNet(AnySize):
    """Four halvings, four doublings; each joins what was seen at its size on the way down.

    *join*: both are concatenated, or summed, which halves the channels of the next convolution.
    """

    least = 2 << DEPTH

    def __init__(
        self,
        in_channels: int = 3,
        classes: int = 2,
        base: int = 32,
        bilinear: bool = True,
        norm: bool = True,
        join: Literal["concat", "sum"] = "concat",
    ) -> None:
        super().__init__()
        widths = [base << level for level in range(DEPTH)]
        deepest = base << DEPTH
        self.first = conv_norm(in_channels, base, base, norm=norm)
        # interpolation keeps the channels: the level below has to hand up half of them already
        ends = [*widths[1:], deepest // 2 if bilinear else deepest]
        self.down = nn.ModuleList(
            conv_norm(start, end, end, norm=norm) for start, end in zip(widths, ends, strict=True)
        )
        self.up = nn.ModuleList(
            Up(width, width if width == base or not bilinear else width // 2, bilinear, norm, join)
            for width in reversed(widths)
        )
        self.last = nn.Conv2d(base, classes, 1)
        if not norm:
            he_normal(self)

    def _logits(self, images: Tensor) -> Any:
        seen = [self.first(images)]  # (N, base, H', W')
        for down in self.down:
            seen.append(down(functional.max_pool2d(seen[-1], 2)))  # half the size, twice the width
        features = seen.pop()
        for up in self.up:
            features = up(features, seen.pop())
        return self.last(features)


class Up(nn.Module):
    """Double the size, join what was seen at that size, two convolutions."""

    def __init__(self, width: int, out: int, bilinear: bool, norm: bool, join: str) -> None:
        super().__init__()
        self.enlarge = Enlarge() if bilinear else nn.ConvTranspose2d(2 * width, width, 2, 2)
        self.summed, joined = join == "sum", width if join == "sum" else 2 * width
        self.join = conv_norm(joined, width if bilinear else out, out, norm=norm)

    def forward(self, below: Tensor, seen: Tensor) -> Tensor:
        """(N, C, H/2, W/2) and (N, width, H, W) -> (N, out, H, W)."""
        large = self.enlarge(below)
        joined = seen + large if self.summed else torch.cat([seen, large], dim=1)
        return cast("Tensor", self.join(joined))


build = UNet
