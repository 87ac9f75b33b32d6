"""Random size, random crop and flips, as pytorch_segmentation (WZMIAOMIAO) trains on DRIVE: shorter
side 282 to 678 px, both flips, crop 480 px.

Images by interpolation, masks by nearest. A crop larger than the image pads right and below: image
0, mask 255.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture

from segprep.training.augmentation.steps import Checked, Image, Mask, as_kind, chance, shade
from segprep.types import IGNORE

How = Literal["nearest", "bilinear", "bicubic"]
_FILTERS = {
    "nearest": Picture.Resampling.NEAREST,
    "bilinear": Picture.Resampling.BILINEAR,
    "bicubic": Picture.Resampling.BICUBIC,
}
LONGEST = 16_384  # pixels: a strip of 999 x 1 at a shorter side of 678 would have 459 million


def resampled(array: NDArray[Any], height: int, width: int, how: How) -> NDArray[Any]:
    """*array* (H, W) or (H, W, 3), of any kind, at (*height*, *width*); shrinking averages, except
    for nearest. Values stay in the range of the kind.
    """
    if array.shape[:2] == (height, width):
        return array
    if array.dtype == np.uint8:
        return np.asarray(Picture.fromarray(array).resize((width, height), _FILTERS[how]))
    planes = [array] if array.ndim == 2 else [array[:, :, n] for n in range(array.shape[2])]
    resized = [
        np.asarray(
            Picture.fromarray(plane.astype(np.float32)).resize((width, height), _FILTERS[how])
        )
        for plane in planes
    ]
    return as_kind(resized[0] if array.ndim == 2 else np.stack(resized, axis=2), array.dtype)


@dataclass(frozen=True, slots=True)
class RandomResize(Checked):
    """The shorter side becomes a whole number of pixels from *shorter*[0] to *shorter*[1], both
    included; the shape is kept.

    The longer side stays within 16,384 px: thinner images get a smaller shorter side.
    """

    shorter: Annotated[tuple[int, int], 1, LONGEST] = (282, 678)

    def __call__(self, image: Image, mask: Mask, rng: np.random.Generator) -> tuple[Image, Mask]:
        """Both at the drawn size. One draw."""
        low, high = self.shorter
        factor = (low + int(rng.random() * (high - low + 1))) / min(mask.shape)
        factor = min(factor, LONGEST / max(mask.shape))
        h, w = (max(1, int(side * factor + 1e-9)) for side in mask.shape)
        return resampled(image, h, w, "bilinear"), resampled(mask, h, w, "nearest")


@dataclass(frozen=True, slots=True)
class Stretch(Checked):
    """To (*rows*, *columns*) px whatever the shape, as UNet++'s 96 x 96 and divamgupta's loaders
    do. Nothing is drawn.
    """

    rows: Annotated[int, 1, LONGEST]
    columns: Annotated[int, 1, LONGEST]

    def __call__(
        self, image: Image, mask: Mask, rng: np.random.Generator | None = None
    ) -> tuple[Image, Mask]:
        """(rows, columns, 3) and (rows, columns)."""
        return resampled(image, self.rows, self.columns, "bilinear"), resampled(
            mask, self.rows, self.columns, "nearest"
        )


@dataclass(frozen=True, slots=True)
class Flip(Checked):
    """Mirrored left to right and top to bottom, each with its probability, then turned by 0, 90,
    180 or 270 degrees if *quarters*.
    """

    horizontal: Annotated[float, 0, 1] = 0.5
    vertical: Annotated[float, 0, 1] = 0.5
    quarters: bool = False

    def __call__(self, image: Image, mask: Mask, rng: np.random.Generator) -> tuple[Image, Mask]:
        """Both mirrored and turned alike. Three draws."""
        mirrored = chance(rng, self.horizontal)
        flipped = chance(rng, self.vertical)
        quarter = int(rng.random() * 4)
        rows = slice(None, None, -1 if flipped else None)
        columns = slice(None, None, -1 if mirrored else None)
        turns = quarter if self.quarters else 0
        return np.rot90(image[rows, columns], turns), np.rot90(mask[rows, columns], turns)


@dataclass(frozen=True, slots=True)
class RandomCrop(Checked):
    """A square of *size* px anywhere in the image; where the image is smaller, it lies at the upper
    left on *gray* (of 0..255) and *label*.
    """

    size: Annotated[int, 1, 65_535] = 480
    gray: Annotated[int, 0, 255] = 0
    label: Annotated[int, 0, 255] = IGNORE

    def __call__(self, image: Image, mask: Mask, rng: np.random.Generator) -> tuple[Image, Mask]:
        """(size, size, 3) and (size, size). Two draws."""
        top, left = (int(rng.random() * (max(side - self.size, 0) + 1)) for side in mask.shape)
        image, mask = (
            array[top : top + self.size, left : left + self.size] for array in (image, mask)
        )
        h, w = mask.shape
        if (h, w) == (self.size, self.size):
            return image, mask
        bars = ((0, self.size - h), (0, self.size - w))
        value = as_kind(np.asarray(shade(self.gray, image.dtype)), image.dtype)
        return np.pad(image, (*bars, (0, 0)), constant_values=value.item()), np.pad(
            mask, bars, constant_values=self.label
        )
