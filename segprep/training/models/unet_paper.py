"""U-Net as in the paper (Ronneberger, Fischer and Brox 2015, arXiv:1505.04597): convolutions
without padding, cropped and concatenated.

572 x 572 gives 388 x 388: a border of 92 pixels is lost on each side. :meth:`ValidUNet.tile` is the
paper's network, for tiles of 188 + 16 k pixels; ``forward`` mirrors the border as the paper's
overlap-tile strategy does, and so fits any size.
"""

import torch
from torch import Tensor, nn

from segprep.errors import UsageError
from segprep.training.models import Preset
from segprep.training.models._layers import conv_relu, crop_center, he_normal, mirror

PRESETS = {"paper": Preset(2, 1, 31_030_658, "arXiv:1505.04597")}
BORDER, SMALLEST, STEP, DEPTH = 92, 188, 16, 4


def valid_size(size: int) -> int:
    """The next size from *size* up, at least 188, that halves evenly four times: 188 + 16 k."""
    return max(SMALLEST, size + (SMALLEST - size) % STEP)


class ValidUNet(nn.Module):
    """23 convolutions, none padded; *dropout* stands at the end of the contracting path."""

    def __init__(
        self, in_channels: int = 1, classes: int = 2, base: int = 64, dropout: float = 0.5
    ) -> None:
        super().__init__()
        widths = [base << level for level in range(DEPTH + 1)]
        starts = [in_channels, *widths[:-1]]
        self.down = nn.ModuleList(
            conv_relu(start, end, padding=0) for start, end in zip(starts, widths, strict=True)
        )
        self.pool, self.dropout = nn.MaxPool2d(2), nn.Dropout(dropout)
        self.enlarge = nn.ModuleList(
            nn.ConvTranspose2d(2 * width, width, 2, stride=2) for width in reversed(widths[:-1])
        )
        self.up = nn.ModuleList(
            conv_relu(2 * width, width, padding=0) for width in reversed(widths[:-1])
        )
        self.head = nn.Conv2d(base, classes, 1)
        he_normal(self)

    def forward(self, images: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, classes, H, W), the border mirrored."""
        height, width = images.shape[-2:]
        full = valid_size(height + 2 * BORDER), valid_size(width + 2 * BORDER)
        after = full[0] - height - BORDER, full[1] - width - BORDER
        return self.tile(mirror(images, (BORDER, BORDER), after))[..., :height, :width]

    def tile(self, images: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, classes, H - 184, W - 184).

        Raises UsageError (bad-option) unless H and W are 188 + 16 k.
        """
        for size in images.shape[-2:]:
            if size != valid_size(size):
                reason = f"a tile of {size} pixels does not halve evenly"
                hint = f"the next size that does is {valid_size(size)}"
                raise UsageError("bad-option", reason, hint)
        seen: list[Tensor] = []
        x = images
        # (N, base << level, h, w): 568, 280, 136, 64, 28 of 572
        for level, down in enumerate(self.down):
            x = down(x if level == 0 else self.pool(x))
            x = self.dropout(x) if level >= DEPTH - 1 else x
            seen.append(x)
        for enlarge, up, beside in zip(self.enlarge, self.up, seen[-2::-1], strict=True):
            x = enlarge(x)  # (N, C, 2 h, 2 w): 56, 104, 200, 392
            x = up(torch.cat([crop_center(beside, *x.shape[-2:]), x], dim=1))  # 52, 100, 196, 388
        return self.head(x)  # type: ignore[no-any-return]


build = ValidUNet
