"""A U-Net whose contracting path is VGG16, without normalization: the VGG network of the
unet-pytorch tutorials.

VGG16 learns badly from scratch on small sets; give it pretrained weights
(:mod:`segprep.training.pretrained`).
"""

from typing import Any

from torch import Tensor, nn

from segprep.training.models import Preset
from segprep.training.models._encoders import Vgg16
from segprep.training.models._layers import AnySize, Enlarge, Join, conv_relu, he_normal

PRESETS = {"vgg16": Preset(21, 3, 24_892_437, "unet-pytorch")}


class VggUNet(AnySize):
    """Five maps of VGG16 down to 1/16 (its last pooling is not used), joined back to full size.

    Only *base* 64 fits pretrained weights.
    """

    def __init__(self, in_channels: int = 3, classes: int = 21, base: int = 64) -> None:
        super().__init__()
        self.encoder = Vgg16(in_channels, base)
        self.up4 = Join(Enlarge(), conv_relu(16 * base, 8 * base))
        self.up3 = Join(Enlarge(), conv_relu(12 * base, 4 * base))
        self.up2 = Join(Enlarge(), conv_relu(6 * base, 2 * base))
        self.up1 = Join(Enlarge(), conv_relu(3 * base, base))
        self.head = nn.Conv2d(base, classes, 1)
        he_normal(self)

    def _logits(self, images: Tensor) -> Any:
        f1, f2, f3, f4, f5 = self.encoder(images)  # 1, 1/2, 1/4, 1/8, 1/16 of (H', W')
        x = self.up4(f4, f5)  # (N, 8 base, H'/8, W'/8)
        x = self.up3(f3, x)  # (N, 4 base, H'/4, W'/4)
        x = self.up1(f1, self.up2(f2, x))  # (N, base, H', W')
        return self.head(x)


build = VggUNet
