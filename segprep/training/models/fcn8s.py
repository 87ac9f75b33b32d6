"""FCN-8s (Long, Shelhamer and Darrell 2014, arXiv:1411.4038) over VGG16 as the Oxford-IIIT Pet
tutorial builds it.

What is joined is added, not concatenated. The tutorial freezes VGG16 (14,714,688) and trains the
other 11,655,383.
"""

from itertools import pairwise
from typing import Any

from torch import Tensor, nn

from segprep.training.models import Preset
from segprep.training.models._encoders import Vgg16
from segprep.training.models._layers import AnySize, he_normal

PRESETS = {"pet": Preset(3, 3, 26_370_071, "Oxford-IIIT Pet tutorial")}


class Fcn8s(AnySize):
    """The fifth pooling of VGG16, enlarged five times; three of its maps are added on the way.

    Only *base* 64 fits pretrained weights.
    """

    step = 32

    def __init__(self, in_channels: int = 3, classes: int = 3, base: int = 64) -> None:
        super().__init__()
        self.encoder = Vgg16(in_channels, base)
        widths = (8 * base, 8 * base, 8 * base, 4 * base, 2 * base)
        self.up = nn.ModuleList(enlarge(start, end) for start, end in pairwise(widths))
        self.head = nn.Sequential(
            nn.ConvTranspose2d(2 * base, classes, 3, stride=2, padding=1, output_padding=1),
            nn.Conv2d(classes, classes, 3, padding=1),
        )
        he_normal(self)

    def _logits(self, images: Tensor) -> Any:
        *_, f3, f4, f5 = self.encoder(images)  # 4 base at 1/4, 8 base at 1/8 and at 1/16
        x = self.encoder.pooled(f5)  # (N, 8 base, H'/32, W'/32)
        x = self.up[0](x) + f5  # (N, 8 base, H'/16, W'/16)
        x = self.up[1](x) + f4  # (N, 8 base, H'/8, W'/8)
        x = self.up[2](x) + f3  # (N, 4 base, H'/4, W'/4)
        return self.head(self.up[3](x))  # 1/2, then full size


def enlarge(start: int, end: int) -> nn.Sequential:
    """Twice the size by a transposed convolution, then a convolution; ReLU after each."""
    up = nn.ConvTranspose2d(start, end, 3, stride=2, padding=1, output_padding=1)
    return nn.Sequential(
        up, nn.ReLU(inplace=True), nn.Conv2d(end, end, 3, padding=1), nn.ReLU(inplace=True)
    )


build = Fcn8s
