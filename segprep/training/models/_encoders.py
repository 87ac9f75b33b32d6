"""Backbones that others pretrained: VGG16, ResNet50, MobileNet V1. Each gives five feature maps,
finest first.

The layers bear torchvision's names (timm's for MobileNet V1, which torchvision does not have), so
that those weights load by name; ``stages`` lists the layers in the order in which a network is
frozen, outermost first.
"""

from collections.abc import Iterator
from itertools import pairwise

from torch import Tensor, nn

from segprep.training.models._layers import he_normal

# each stage but the first starts with the pooling; the last pooling (30) is nobody's
VGG_CUTS = (0, 4, 9, 16, 23, 30)


class Vgg16(nn.Module):
    """Simonyan and Zisserman 2014, arXiv:1409.1556, as torchvision names its 13 convolutions."""

    def __init__(self, in_channels: int, base: int = 64) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        start, self.widths = in_channels, (base, 2 * base, 4 * base, 8 * base, 8 * base)
        for width, times in zip(self.widths, (2, 2, 3, 3, 3), strict=True):
            for _ in range(times):
                layers += [nn.Conv2d(start, width, 3, padding=1), nn.ReLU(inplace=True)]
                start = width
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        he_normal(self)

    def forward(self, images: Tensor) -> list[Tensor]:
        """(N, in_channels, H, W) -> five maps of (base, 2, 4, 8, 8 base) channels and 1, 1/2, 1/4,
        1/8, 1/16 of the size.
        """
        features = [images]
        for begin, end in pairwise(VGG_CUTS):
            features.append(self.features[begin:end](features[-1]))
        return features[1:]

    def pooled(self, last: Tensor) -> Tensor:
        """(N, 8 base, H/16, W/16) -> (N, 8 base, H/32, W/32): the fifth pooling, for FCN."""
        return self.features[30](last)  # type: ignore[no-any-return]

    def stages(self) -> list[list[nn.Module]]:
        """Five: up to each pooling."""
        return [list(self.features)[begin:end] for begin, end in pairwise(VGG_CUTS)]


class Bottleneck(nn.Module):
    """1x1, 3x3 (with the stride, as torchvision has it), 1x1, and the way around them."""

    def __init__(self, start: int, width: int, stride: int) -> None:
        super().__init__()
        end = 4 * width
        self.conv1, self.bn1 = nn.Conv2d(start, width, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3, self.bn3 = nn.Conv2d(width, end, 1, bias=False), nn.BatchNorm2d(end)
        self.relu = nn.ReLU(inplace=True)
        self.downsample: nn.Module = nn.Identity()
        if start != end or stride != 1:
            around = nn.Conv2d(start, end, 1, stride, bias=False)
            self.downsample = nn.Sequential(around, nn.BatchNorm2d(end))

    def forward(self, x: Tensor) -> Tensor:
        """(N, start, h, w) -> (N, 4 width, h / stride, w / stride)."""
        y = self.relu(self.bn1(self.conv1(x)))  # (N, width, h, w)
        y = self.relu(self.bn2(self.conv2(y)))  # (N, width, h / stride, w / stride)
        return self.relu(self.bn3(self.conv3(y)) + self.downsample(x))  # type: ignore[no-any-return]


class ResNet50(nn.Module):
    """He et al. 2015, arXiv:1512.03385, without its classifier."""

    def __init__(self, in_channels: int, base: int = 64) -> None:
        super().__init__()
        self.widths = (base, 4 * base, 8 * base, 16 * base, 32 * base)
        self.conv1 = nn.Conv2d(in_channels, base, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(base)
        self.relu, self.maxpool = nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)
        self.layer1 = nn.Sequential(*self._blocks(base, base, 3, 1))
        self.layer2 = nn.Sequential(*self._blocks(4 * base, 2 * base, 4, 2))
        self.layer3 = nn.Sequential(*self._blocks(8 * base, 4 * base, 6, 2))
        self.layer4 = nn.Sequential(*self._blocks(16 * base, 8 * base, 3, 2))
        he_normal(self)

    @staticmethod
    def _blocks(start: int, width: int, times: int, stride: int) -> Iterator[Bottleneck]:
        yield Bottleneck(start, width, stride)
        yield from (Bottleneck(4 * width, width, 1) for _ in range(times - 1))

    def forward(self, images: Tensor) -> list[Tensor]:
        """(N, in_channels, H, W) -> five maps of (1, 4, 8, 16, 32) base channels and 1/2, 1/4, 1/8,
        1/16, 1/32 of the size.
        """
        features = [self.relu(self.bn1(self.conv1(images)))]  # (N, base, H/2, W/2)
        features.append(self.layer1(self.maxpool(features[0])))  # (N, 4 base, H/4, W/4)
        for layer in (self.layer2, self.layer3, self.layer4):
            features.append(layer(features[-1]))
        return features

    def stages(self) -> list[list[nn.Module]]:
        """Five: the stem and the four layers."""
        return [[self.conv1, self.bn1], [self.layer1], [self.layer2], [self.layer3], [self.layer4]]


class Separable(nn.Module):
    """A 3x3 convolution of each channel by itself, then a 1x1 over all of them."""

    def __init__(self, start: int, end: int, stride: int) -> None:
        super().__init__()
        self.conv_dw = nn.Conv2d(start, start, 3, stride, 1, groups=start, bias=False)
        self.bn1 = nn.BatchNorm2d(start)
        self.conv_pw, self.bn2 = nn.Conv2d(start, end, 1, bias=False), nn.BatchNorm2d(end)
        self.relu = nn.ReLU6(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """(N, start, h, w) -> (N, end, h / stride, w / stride)."""
        return self.relu(self.bn2(self.conv_pw(self.relu(self.bn1(self.conv_dw(x))))))  # type: ignore[no-any-return]


class MobileNetV1(nn.Module):
    """Howard et al. 2017, arXiv:1704.04861; *levels* 4 ends at 1/16."""

    def __init__(self, in_channels: int, base: int = 32, levels: int = 4) -> None:
        super().__init__()
        self.widths = tuple(base << level for level in range(1, levels + 1))
        self.conv_stem = nn.Conv2d(in_channels, base, 3, 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(base)
        self.relu = nn.ReLU6(inplace=True)
        starts, times = (base, *self.widths), (1, 2, 2, 6, 2)
        self.blocks = nn.ModuleList(
            self._stage(starts[n], end, times[n], 1 if n == 0 else 2)
            for n, end in enumerate(self.widths)
        )
        he_normal(self)

    @staticmethod
    def _stage(start: int, end: int, times: int, stride: int) -> nn.Sequential:
        return nn.Sequential(
            Separable(start, end, stride), *(Separable(end, end, 1) for _ in range(times - 1))
        )

    def forward(self, images: Tensor) -> list[Tensor]:
        """(N, in_channels, H, W) -> maps of (2, 4, 8, 16[, 32]) base channels and 1/2, 1/4, 1/8,
        1/16[, 1/32] of the size.
        """
        features = [self.relu(self.bn1(self.conv_stem(images)))]  # (N, base, H/2, W/2)
        for stage in self.blocks:
            features.append(stage(features[-1]))
        return features[1:]

    def stages(self) -> list[list[nn.Module]]:
        """The stem, then each stage."""
        return [[self.conv_stem, self.bn1], *([stage] for stage in self.blocks)]
