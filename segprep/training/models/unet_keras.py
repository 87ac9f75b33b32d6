"""The Keras U-Net for the ISBI-2012 membranes (zhixuhao/unet): padded convolutions, no
normalization, one logit.

The tutorial's last but one layer has two channels with ReLU, which may both die and leave a
constant gray answer. Here they leak, with the same number of parameters; ``head="relu"`` is the
tutorial's, ``head="none"`` leaves the layer out.
"""

from typing import Any, Literal

from torch import Tensor, nn
from torch.nn import functional

from segprep.training.models import Preset
from segprep.training.models._layers import AnySize, Join, conv_relu, he_normal, nearest

PRESETS = {"membrane": Preset(1, 1, 31_031_685, "zhixuhao/unet")}
DEPTH = 4


class UpConv(nn.Module):
    """Twice the size by repetition, a 2x2 convolution padded below and right as in Keras, ReLU."""

    def __init__(self, start: int, end: int) -> None:
        super().__init__()
        self.enlarge, self.conv = nearest(), nn.Conv2d(start, end, 2)

    def forward(self, x: Tensor) -> Tensor:
        """(N, start, h, w) -> (N, end, 2 h, 2 w)."""
        return functional.relu(self.conv(functional.pad(self.enlarge(x), (0, 1, 0, 1))))


class KerasUNet(AnySize):
    """Four halvings, four doublings; *dropout* stands after the two deepest halvings."""

    def __init__(
        self,
        in_channels: int = 1,
        classes: int = 1,
        base: int = 64,
        dropout: float = 0.5,
        head: Literal["leaky", "relu", "none"] = "leaky",
    ) -> None:
        super().__init__()
        widths = [base << level for level in range(DEPTH + 1)]
        self.down = nn.ModuleList(
            conv_relu(start, end)
            for start, end in zip([in_channels, *widths], widths, strict=False)
        )
        self.pool, self.dropout = nn.MaxPool2d(2), nn.Dropout(dropout)
        self.up = nn.ModuleList(
            Join(UpConv(2 * width, width), conv_relu(2 * width, width))
            for width in reversed(widths[:-1])
        )
        narrow = max(2, classes)
        act = nn.ReLU() if head == "relu" else nn.LeakyReLU(0.1)
        before = [] if head == "none" else [nn.Conv2d(base, narrow, 3, padding=1), act]
        self.head = nn.Sequential(*before, nn.Conv2d(narrow if before else base, classes, 1))
        he_normal(self)

    def _logits(self, images: Tensor) -> Any:
        x, seen = images, list[Tensor]()
        for level, down in enumerate(self.down):  # (N, base << level, H' >> level, W' >> level)
            x = down(x if level == 0 else self.pool(x))
            x = self.dropout(x) if level >= DEPTH - 1 else x
            seen.append(x)
        for up, beside in zip(self.up, seen[-2::-1], strict=True):
            x = up(beside, x)  # half the channels, twice the size
        return self.head(x)


build = KerasUNet
