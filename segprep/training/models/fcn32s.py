"""FCN-32s (Long, Shelhamer and Darrell 2014, arXiv:1411.4038): VGG16 with its classifier as
convolutions, its answer enlarged 32 times.

The two large layers take torchvision's classifier.0 and classifier.3 when VGG16's weights are
loaded (:data:`TABLE`).
"""

from collections.abc import Mapping
from typing import cast

from torch import Tensor, nn
from torch.nn import functional

from segprep.training.models import Preset
from segprep.training.models._encoders import Vgg16
from segprep.training.models._layers import he_normal, pad_to

PRESETS = {"voc": Preset(21, 3, 134_346_581, "Keras-FCN")}
TABLE: Mapping[str, str] = {
    f"classifier.{old}.{kind}": f"{new}.{kind}"
    for old, new in ((0, "fc6"), (3, "fc7"))
    for kind in ("weight", "bias")
}


def build(
    in_channels: int = 3, classes: int = 21, base: int = 64, wide: int = 4096, dropout: float = 0.5
) -> nn.Module:
    """The network of width *base* with *wide* channels in the former classifier; only 64 and 4096
    fit pretrained weights.
    """
    return Fcn32s(in_channels, classes, base, wide, dropout)


class Fcn32s(nn.Module):
    """One map at 1/32, a class for each of its places, enlarged."""

    def __init__(
        self, in_channels: int, classes: int, base: int, wide: int, dropout: float
    ) -> None:
        super().__init__()
        self.encoder = Vgg16(in_channels, base)
        self.fc6, self.fc7 = nn.Conv2d(8 * base, wide, 7, padding=3), nn.Conv2d(wide, wide, 1)
        self.dropout, self.head = nn.Dropout(dropout), nn.Conv2d(wide, classes, 1)
        self.renamed = TABLE
        he_normal(self)

    def forward(self, images: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, classes, H, W)."""
        height, width = images.shape[-2:]
        padded = pad_to(images, 32)
        x = self.encoder.pooled(self.encoder(padded)[-1])  # (N, 8 base, H'/32, W'/32)
        x = self.dropout(functional.relu(self.fc6(x)))  # (N, wide, H'/32, W'/32)
        x = self.dropout(functional.relu(self.fc7(x)))
        logits = cast("Tensor", self.head(x))  # (N, classes, H'/32, W'/32)
        return functional.interpolate(
            logits, size=padded.shape[-2:], mode="bilinear", align_corners=False
        )[..., :height, :width]
