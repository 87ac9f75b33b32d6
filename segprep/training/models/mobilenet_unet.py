"""A U-Net whose contracting path is MobileNet V1: the mobilenet_unet of the
image-segmentation-keras family.

At 2 classes 6,483,586 numbers are learned; with the running statistics, which Keras counts as well,
that is the published 6.50 million. ``full=False`` stops at half the size, as the first edition did
(published: 6.32 million), and enlarges its logits.
"""

from typing import Any

from torch import Tensor, nn

from segprep.training.models import Preset
from segprep.training.models._encoders import MobileNetV1
from segprep.training.models._layers import AnySize, Enlarge, Join, he_normal, nearest

PRESETS = {
    "full": Preset(2, 3, 6_483_586, "unet-keras"),
    "half": Preset(2, 3, 6_298_882, "image-segmentation-keras", {"full": False}),
}


class MobileNetUNet(AnySize):
    """Four maps of MobileNet from 1/2 to 1/16, joined back to 1/2, then enlarged once more.

    Only *base* 32 fits pretrained weights.
    """

    least = 32

    def __init__(
        self, in_channels: int = 3, classes: int = 2, base: int = 32, full: bool = True
    ) -> None:
        super().__init__()
        self.encoder = MobileNetV1(in_channels, base)
        end = 4 * base if full else 2 * base
        self.deep = convolution(16 * base, 16 * base)
        self.up3 = Join(nearest(), convolution(24 * base, 8 * base))
        self.up2 = Join(nearest(), convolution(12 * base, 4 * base))
        self.up1 = Join(nearest(), convolution(6 * base, end))
        self.full = nn.Sequential(nearest(), convolution(end, 2 * base)) if full else nn.Identity()
        self.head = nn.Conv2d(2 * base, classes, 3, padding=1)
        self.last = nn.Identity() if full else Enlarge()
        for part in (self.deep, self.up3, self.up2, self.up1, self.full, self.head):
            he_normal(part)

    def _logits(self, images: Tensor) -> Any:
        f1, f2, f3, f4 = self.encoder(images)  # 1/2, 1/4, 1/8, 1/16 of (H', W')
        x = self.up2(f2, self.up3(f3, self.deep(f4)))  # (N, 4 base, H'/4, W'/4)
        x = self.full(self.up1(f1, x))  # (N, 2 base, H', W'), or half of it
        return self.last(self.head(x))


def convolution(start: int, end: int) -> nn.Sequential:
    """One 3x3 convolution, ReLU, batch normalization: in the tutorial's order."""
    return nn.Sequential(
        nn.Conv2d(start, end, 3, padding=1), nn.ReLU(inplace=True), nn.BatchNorm2d(end)
    )


build = MobileNetUNet
