"""Windows that come from the steps of a tutorial's augmentation instead of the trainer's own."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from segprep.training.augmentation.letterbox import Letterbox
from segprep.training.augmentation.steps import Image, Mask, Transform, applied
from segprep.training.augmentation.windows import Windows
from segprep.training.data.pairs import ImagePair, InputSpec, brightest, normalized, padding


class Chained(Windows):
    """:class:`~segprep.training.augmentation.windows.Windows` that come from *steps*, done in turn.
    Sizes that differ are letterboxed into the view.
    """

    def __init__(
        self, pairs: Sequence[ImagePair], view: InputSpec, seed: int, steps: Sequence[Transform]
    ) -> None:
        super().__init__(pairs, view, seed)
        self.steps = tuple(steps)

    def sample(self, number: int) -> tuple[Image, Mask]:
        """Sample *number* after the steps: (H, W, 3) of the image's kind, and (H, W) uint8."""
        pair = self.pairs[self.position(number)]
        rng = np.random.default_rng((self.seed, *divmod(number, len(self.pairs)), 1))
        return applied(self.steps, pair.image, pair.mask, rng)

    def __getitem__(self, number: int) -> tuple[Tensor, Tensor]:
        """(3, S, S) float32, normalized, and (S, S) int64, 255 where ignored."""
        image, mask = self.sample(number)
        side = self.view.size
        if mask.shape != (side, side):
            gray = int(np.rint(float(padding(self.view, image.dtype)[0]) * 255))
            image, mask = Letterbox(side, side, gray)(image, mask)
        values = torch.from_numpy(image.astype(np.float32)).permute(2, 0, 1)
        values = values / brightest(image.dtype)
        return normalized(values, self.view), torch.from_numpy(mask.astype(np.int64))
