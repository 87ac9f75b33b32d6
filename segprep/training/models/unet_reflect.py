"""The U-Net of qiaofengsheng/pytorch-UNet: mirrored borders, LeakyReLU, dropout of whole channels,
convolutions with a stride for pooling.
"""

from typing import Any

from torch import Tensor, nn

from segprep.training.models import Preset
from segprep.training.models._layers import AnySize, Join, nearest

PRESETS = {"reflect": Preset(3, 3, 32_085_699, "qiaofengsheng/pytorch-UNet")}
DEPTH = 4


class ReflectUNet(AnySize):
    """Four halvings, four doublings."""

    least = 2 << DEPTH  # 2 pixels at the bottom: one cannot be mirrored

    def __init__(
        self, in_channels: int = 3, classes: int = 3, base: int = 64, dropout: float = 0.3
    ) -> None:
        super().__init__()
        widths = [base << level for level in range(DEPTH + 1)]
        self.down = nn.ModuleList(
            pair(start, end, dropout)
            for start, end in zip([in_channels, *widths], widths, strict=False)
        )
        self.halve = nn.ModuleList(
            nn.Sequential(*convolution(width, width, stride=2)) for width in widths[:-1]
        )
        self.up = nn.ModuleList(
            Join(nn.Sequential(nearest(), nn.Conv2d(2 * w, w, 1)), pair(2 * w, w, dropout))
            for w in reversed(widths[:-1])
        )
        self.head = nn.Conv2d(base, classes, 3, padding=1)

    def _logits(self, images: Tensor) -> Any:
        x = self.down[0](images)
        seen = [x]
        for halve, down in zip(self.halve, list(self.down)[1:], strict=True):
            x = down(halve(x))  # (N, base << level, H' >> level, W' >> level)
            seen.append(x)
        for up, beside in zip(self.up, seen[-2::-1], strict=True):
            x = up(beside, x)  # half the channels, twice the size
        return self.head(x)


def convolution(start: int, end: int, stride: int = 1, dropout: float = 0.0) -> list[nn.Module]:
    """A 3x3 convolution with mirrored borders, batch norm, dropout of channels, LeakyReLU."""
    conv = nn.Conv2d(start, end, 3, stride, 1, bias=False, padding_mode="reflect")
    dropped = [nn.Dropout2d(dropout)] if dropout else []
    return [conv, nn.BatchNorm2d(end), *dropped, nn.LeakyReLU(inplace=True)]


def pair(start: int, end: int, dropout: float) -> nn.Sequential:
    """Two of them."""
    return nn.Sequential(
        *convolution(start, end, dropout=dropout), *convolution(end, end, dropout=dropout)
    )


build = ReflectUNet
