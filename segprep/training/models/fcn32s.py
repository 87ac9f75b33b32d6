"""FCN-32s (Long, Shelhamer and Darrell 2014, arXiv:1411.4038): VGG16 with its classifier as
convolutions, its answer enlarged 32 times.

The two large layers take torchvision's classifier.0 and classifier.3 when VGG16's weights are
loaded (:data:`TABLE`).
"""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from segprep.training.models import Preset
from segprep.training.models._encoders import Vgg16
from segprep.training.models._layers import AnySize, he_normal

PRESETS = {"voc": Preset(21, 3, 134_346_581, "Keras-FCN")}
TABLE: Mapping[str, str] = {
    f"classifier.{old}.{kind}": f"{new}.{kind}"
    for old, new in ((0, "fc6"), (3, "fc7"))
    for kind in ("weight", "bias")
}


class Fcn32s(AnySize):
    """One map at 1/32, a class for each of its places, enlarged.

    *wide* are the channels of the former classifier; only 64 and 4096 fit pretrained weights.
    """

    step = 32

    def __init__(
        self,
        in_channels: int = 3,
        classes: int = 21,
        base: int = 64,
        wide: int = 4096,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.encoder = Vgg16(in_channels, base)
        self.fc6, self.fc7 = nn.Conv2d(8 * base, wide, 7, padding=3), nn.Conv2d(wide, wide, 1)
        self.dropout, self.head = nn.Dropout(dropout), nn.Conv2d(wide, classes, 1)
        self.renamed = TABLE
        he_normal(self)

    def _logits(self, images: Tensor) -> Any:
        x = self.encoder.pooled(self.encoder(images)[-1])  # (N, 8 base, H'/32, W'/32)
        x = self.dropout(functional.relu(self.fc6(x)))  # (N, wide, H'/32, W'/32)
        x = self.dropout(functional.relu(self.fc7(x)))
        logits = self.head(x)  # (N, classes, H'/32, W'/32)
        return functional.interpolate(logits, scale_factor=32, mode="bilinear", align_corners=False)


build = Fcn32s
