"""Shape, scale, flip, place: the geometry of unet-pytorch's and unet-keras' loaders (bubbliiiing),
with its two faults fixed.

The new shape starts from the image's own (an early version started from the target's), and the bars
of the mask are 255, not a class.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from segprep.training.augmentation.letterbox import framed
from segprep.training.augmentation.scaling import resampled
from segprep.training.augmentation.steps import GRAY, Checked, Image, Mask, between, chance, shade
from segprep.types import IGNORE


@dataclass(frozen=True, slots=True)
class Jitter(Checked):
    """Into a frame of (*rows*, *columns*) px.

    The ratio width / height is multiplied by U(aspect) / U(aspect); the longer side becomes
    U(*scale*) times the frame's; mirrored with probability *flip*; put anywhere that fits, on
    *gray* (of 0..255) and *label*, or, where larger than the frame, cropped anywhere.
    """

    rows: Annotated[int, 1, 16_384]
    columns: Annotated[int, 1, 16_384]
    aspect: Annotated[tuple[float, float], 0.1, 10] = (0.7, 1.3)
    scale: Annotated[tuple[float, float], 0.01, 10] = (0.25, 2.0)
    flip: Annotated[float, 0, 1] = 0.5
    gray: Annotated[int, 0, 255] = GRAY
    label: Annotated[int, 0, 255] = IGNORE

    def draw(
        self, height: int, width: int, rng: np.random.Generator
    ) -> tuple[int, int, int, int, bool]:
        """(h, w, top, left, mirrored), top and left negative where it is cropped. Six draws."""
        ratio = width / height * between(rng, *self.aspect) / between(rng, *self.aspect)
        scale, mirrored = between(rng, *self.scale), chance(rng, self.flip)
        if ratio < 1:
            h, w = scale * self.rows, scale * self.rows * ratio
        else:
            h, w = scale * self.columns / ratio, scale * self.columns
        h, w = max(1, int(h)), max(1, int(w))
        return h, w, _anywhere(self.rows - h, rng), _anywhere(self.columns - w, rng), mirrored

    def __call__(self, image: Image, mask: Mask, rng: np.random.Generator) -> tuple[Image, Mask]:
        """(rows, columns, 3) and (rows, columns)."""
        h, w, top, left, mirrored = self.draw(mask.shape[0], mask.shape[1], rng)
        large, ids = resampled(image, h, w, "bicubic"), resampled(mask, h, w, "nearest")
        if mirrored:
            large, ids = large[:, ::-1], ids[:, ::-1]
        return (
            framed(large, self.rows, self.columns, top, left, shade(self.gray, image.dtype)),
            framed(ids, self.rows, self.columns, top, left, self.label),
        )


def _anywhere(room: int, rng: np.random.Generator) -> int:
    """A whole number from 0 to *room*, or from *room* to 0 where that is negative."""
    start = int(rng.random() * (abs(room) + 1))
    return start if room >= 0 else -start
