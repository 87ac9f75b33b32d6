"""Hue, saturation and value, drawn at random: the light and color of unet-pytorch's and
unet-keras' loaders (bubbliiiing), with a hue that wraps.

Theirs does not: one version adds to a hue of 0..360 and then cuts at 0 and 1, so that red turned
back becomes red; the other multiplies the hue, so that red never turns at all. Here the hue is an
angle: red less 36 degrees is 324 degrees, a pink. The mask stays as it is.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from segprep.training.augmentation.steps import Checked, Image, Mask, as_kind, between, chance
from segprep.training.data.pairs import brightest
from segprep.values import need


@dataclass(frozen=True, slots=True)
class Hsv(Checked):
    """*hue*: up to this part of a full turn either way (0.1 = 36 degrees). *saturation* and
    *value*: factors from 1 - x to 1 + x.

    *reciprocal* is the older variant: factors from 1 to 1 + x, or, as likely, 1 divided by one;
    there x is 0.5 for both.
    """

    hue: Annotated[float, 0, 0.5] = 0.1
    saturation: Annotated[float, 0, 10] = 0.7
    value: Annotated[float, 0, 10] = 0.3
    reciprocal: bool = False

    def __post_init__(self) -> None:
        Checked.__post_init__(self)
        for name in () if self.reciprocal else ("saturation", "value"):
            need(name, getattr(self, name), float, 0, 1)

    def draw(self, rng: np.random.Generator) -> tuple[float, float, float]:
        """(degrees, factor of the saturation, factor of the value). Five draws."""
        degrees = 360 * between(rng, -self.hue, self.hue)
        return degrees, self._factor(self.saturation, rng), self._factor(self.value, rng)

    def _factor(self, amount: float, rng: np.random.Generator) -> float:
        inverse = chance(rng, 0.5)
        factor = between(rng, 1.0 if self.reciprocal else 1 - amount, 1 + amount)
        return 1 / factor if self.reciprocal and inverse else factor

    def __call__(self, image: Image, mask: Mask, rng: np.random.Generator) -> tuple[Image, Mask]:
        """*image* in other colors; *mask* as it is."""
        return distorted(image, *self.draw(rng)), mask


def distorted(
    image: Image,
    degrees: float,
    saturation: float = 1.0,
    value: float = 1.0,
    more: tuple[float, float] = (0.0, 0.0),
) -> Image:
    """*image* (H, W, 3), RGB, with its hue turned by *degrees* and saturation and value multiplied,
    and *more* added to them; both are held within 0 and 1.

    A gray pixel has no hue and stays gray, whatever is added to its saturation.

    >>> red = np.array([[[255, 0, 0]]], np.uint8)
    >>> distorted(red, -36).tolist(), distorted(red, 120, 0.5).tolist()
    ([[[255, 0, 153]]], [[[128, 255, 128]]])
    """
    if degrees % 360 == 0 and saturation == value == 1 and not any(more):
        return image
    white = brightest(image.dtype)
    values = np.moveaxis(image, -1, 0).astype(np.float32, order="C")
    values /= np.float32(white)
    top, low = values.max(0), values.min(0)
    spread = top - low
    sixths = _hue(values, top, spread) + np.float32(degrees % 360 / 60)
    bright = np.clip(top * np.float32(value) + np.float32(more[1]), 0, 1)
    share = np.divide(spread, top, out=np.zeros_like(top), where=top > 0)
    full = (
        np.clip(share * np.float32(saturation) + np.float32(more[0]) * (spread > 0), 0, 1) * bright
    )
    result = np.empty(image.shape, image.dtype)
    # Smith's inverse in one formula: V - V S max(0, min(k, 4 - k, 1)) with k = (n + H / 60) mod 6
    for channel, start in enumerate((5, 3, 1)):
        k = np.mod(sixths + start, 6)
        result[..., channel] = as_kind(
            (bright - full * np.clip(np.minimum(k, 4 - k), 0, 1)) * np.float32(white), image.dtype
        )
    return result


def _hue(values: Image, top: Image, spread: Image) -> Image:
    """The hue of (3, H, W) in sixths of a turn, 0 to 6; 0 where there is no color.

    A. R. Smith, Color gamut transform pairs, 1978.
    """
    red, green, blue = values
    safe = np.where(spread > 0, spread, 1)
    inner = np.where(top == green, (blue - red) / safe + 2, (red - green) / safe + 4)
    return np.asarray(np.where(top == red, (green - blue) / safe % 6, inner))
