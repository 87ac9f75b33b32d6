"""One of three color changes per sample: hue with saturation and value, brightness, or contrast.

After pytorch-nested-unet (4uiiurz1), which takes albumentations' OneOf with its defaults: hue 20 of
180, saturation 30 and value 20 of 255, brightness and contrast .2. Fixed: colors are RGB there in
name only (OpenCV reads BGR), and here in fact; a gray pixel is not colored.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from segprep.training.augmentation.hsv import distorted
from segprep.training.augmentation.steps import Checked, Image, Mask, as_kind, between
from segprep.training.data.pairs import brightest


@dataclass(frozen=True, slots=True)
class OneColor(Checked):
    """Each of the three with the same probability, each value up to this much either way.

    *hue*: part of a full turn. *saturation*, *value*, *brightness*: what is added, of 0..1.
    *contrast*: factors from 1 - x to 1 + x.
    """

    hue: Annotated[float, 0, 0.5] = 20 / 180
    saturation: Annotated[float, 0, 1] = 30 / 255
    value: Annotated[float, 0, 1] = 20 / 255
    brightness: Annotated[float, 0, 1] = 0.2
    contrast: Annotated[float, 0, 1] = 0.2

    def __call__(self, image: Image, mask: Mask, rng: np.random.Generator) -> tuple[Image, Mask]:
        """*image* in other colors; *mask* as it is. Six draws."""
        kind = int(rng.random() * 3)
        hue, *more = (between(rng, -most, most) for most in (self.hue, self.saturation, self.value))
        offset = between(rng, -self.brightness, self.brightness)
        factor = between(rng, 1 - self.contrast, 1 + self.contrast)
        if kind == 0:
            return distorted(image, 360 * hue, more=(more[0], more[1])), mask
        values = image.astype(np.float32)
        changed = (
            values + np.float32(offset * brightest(image.dtype))
            if kind == 1
            else values * np.float32(factor)
        )
        return as_kind(np.clip(changed, 0, brightest(image.dtype)), image.dtype), mask
