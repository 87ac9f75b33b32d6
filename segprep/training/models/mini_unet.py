"""A U-Net of two halvings for small sets and a CPU: the mini_unet of the image-segmentation-keras
family (Divam Gupta).

It hands out logits; the tutorials fed them to a loss that expected probabilities.
"""

from typing import Any

from torch import Tensor, nn

from segprep.training.models import Preset
from segprep.training.models._layers import AnySize, Join, conv_relu, he_normal, nearest

PRESETS = {"mini": Preset(21, 3, 472_213, "unet-keras")}


class MiniUNet(AnySize):
    """*base* channels, twice, four times as many, and back."""

    step = 4

    def __init__(
        self, in_channels: int = 3, classes: int = 21, base: int = 32, dropout: float = 0.2
    ) -> None:
        super().__init__()
        self.first = conv_relu(in_channels, base, dropout=dropout)
        self.second = conv_relu(base, 2 * base, dropout=dropout)
        self.third = conv_relu(2 * base, 4 * base, dropout=dropout)
        self.pool = nn.MaxPool2d(2)
        self.up2 = Join(nearest(), conv_relu(6 * base, 2 * base, dropout=dropout))
        self.up1 = Join(nearest(), conv_relu(3 * base, base, dropout=dropout))
        self.head = nn.Conv2d(base, classes, 1)
        he_normal(self)

    def _logits(self, images: Tensor) -> Any:
        first = self.first(images)  # (N, base, H', W')
        second = self.second(self.pool(first))  # (N, 2 base, H'/2, W'/2)
        third = self.third(self.pool(second))  # (N, 4 base, H'/4, W'/4)
        x = self.up1(first, self.up2(second, third))  # (N, base, H', W')
        return self.head(x)


build = MiniUNet
