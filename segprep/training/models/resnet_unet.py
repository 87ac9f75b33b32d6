"""A U-Net whose contracting path is ResNet50: the ResNet network of the unet-pytorch tutorials.

The first pooling is padded as torchvision's is, which its pretrained weights expect; the tutorials'
was not and shifted the maps.
"""

from typing import Any

from torch import Tensor, nn

from segprep.training.models import Preset
from segprep.training.models._encoders import ResNet50
from segprep.training.models._layers import AnySize, Enlarge, Join, conv_relu, he_normal

PRESETS = {"resnet50": Preset(21, 3, 43_934_101, "unet-pytorch")}


class ResNetUNet(AnySize):
    """Five maps of ResNet50 from 1/2 to 1/32, joined back to 1/2, then enlarged once more.

    Only *base* 64 fits pretrained weights.
    """

    step, least = 32, 64

    def __init__(self, in_channels: int = 3, classes: int = 21, base: int = 64) -> None:
        super().__init__()
        self.encoder = ResNet50(in_channels, base)
        self.up4 = Join(Enlarge(), conv_relu(48 * base, 8 * base))
        self.up3 = Join(Enlarge(), conv_relu(16 * base, 4 * base))
        self.up2 = Join(Enlarge(), conv_relu(8 * base, 2 * base))
        self.up1 = Join(Enlarge(), conv_relu(3 * base, base))
        self.full = nn.Sequential(Enlarge(), conv_relu(base, base))
        self.head = nn.Conv2d(base, classes, 1)
        for part in (self.up4, self.up3, self.up2, self.up1, self.full, self.head):
            he_normal(part)

    def _logits(self, images: Tensor) -> Any:
        f1, f2, f3, f4, f5 = self.encoder(images)  # 1/2, 1/4, 1/8, 1/16, 1/32 of (H', W')
        x = self.up4(f4, f5)  # (N, 8 base, H'/16, W'/16)
        x = self.up3(f3, x)  # (N, 4 base, H'/8, W'/8)
        x = self.up1(f1, self.up2(f2, x))  # (N, base, H'/2, W'/2)
        return self.head(self.full(x))


build = ResNetUNet
