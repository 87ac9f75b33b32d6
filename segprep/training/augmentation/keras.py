"""The paired generator of the Keras tutorials: one affine motion and one pair of flips for image
and mask.

Units: *rotation* and *shear* in degrees (0.2 is a fifth of a degree: hardly anything), *shift*
below 1 a fraction of the side, from 1 on pixels, *zoom* a half-width around 1 or a range, drawn for
rows and columns apart. After keras-preprocessing's ImageDataGenerator (matrix: rotation x shift x
shear x zoom, output to input, then the flips), with four faults fixed: the mask is taken by
nearest, so it keeps its ids; the motion turns about the exact middle; each sample has its own
randomness, so nothing depends on the order or number of workers; "wrap" repeats the whole image.
"""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from segprep.training.augmentation.steps import (
    MODES,
    Checked,
    Fill,
    Image,
    Mask,
    as_kind,
    between,
    chance,
    shade,
)
from segprep.types import IGNORE
from segprep.values import need


@dataclass(frozen=True, slots=True)
class Motion:
    """One drawn motion: degrees, pixels, factors (below 1 magnifies, as in Keras)."""

    rotation: float = 0.0
    down: float = 0.0
    right: float = 0.0
    shear: float = 0.0
    zoom_rows: float = 1.0
    zoom_columns: float = 1.0
    mirrored: bool = False
    flipped: bool = False

    def matrix(self, height: int, width: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(2, 2) and (2,): result pixel p is taken from matrix @ p + offset (row, column)."""
        turn, slant = np.radians(self.rotation), np.radians(self.shear)
        turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        linear = (
            turned
            @ np.array([[1, -np.sin(slant)], [0, np.cos(slant)]])
            @ np.diag([self.zoom_rows, self.zoom_columns])
        )
        middle = np.array([(height - 1) / 2, (width - 1) / 2])
        offset = turned @ np.array([self.down, self.right]) + middle - linear @ middle
        # so that quarter turns and whole shifts hit pixels exactly
        return np.round(linear, 12), np.round(offset, 9)


@dataclass(frozen=True, slots=True)
class Paired(Checked):
    """Ranges to draw from: each value from -range to +range, *zoom* from 1 - zoom to 1 + zoom or
    from its two numbers.

    Beyond the image: *fill* nearest, reflect (edge pixel repeated) and wrap continue image and mask
    alike; constant puts *value* (of 0..255) into the image and *label* into the mask.
    """

    rotation: Annotated[float, 0, 360] = 0.0
    height_shift: Annotated[float, 0, 100_000] = 0.0
    width_shift: Annotated[float, 0, 100_000] = 0.0
    shear: Annotated[float, 0, 89] = 0.0
    zoom: float | tuple[float, float] = 0.0
    horizontal_flip: bool = False
    vertical_flip: bool = False
    fill: Fill = "nearest"
    value: Annotated[float, 0, 255] = 0.0
    label: Annotated[int, 0, 255] = IGNORE

    def __post_init__(self) -> None:
        Checked.__post_init__(self)
        if isinstance(self.zoom, tuple):
            need("zoom", self.zoom, tuple[float, float], 0.01, 100)
        else:
            need("zoom", self.zoom, float, 0, 0.99)

    def draw(self, height: int, width: int, rng: np.random.Generator) -> Motion:
        """A motion for an image of (*height*, *width*). Always eight draws, in Keras' order."""
        rotation = between(rng, -self.rotation, self.rotation)
        down, right = (
            between(rng, -shift, shift) * (side if shift < 1 else 1)
            for shift, side in ((self.height_shift, height), (self.width_shift, width))
        )
        shear = between(rng, -self.shear, self.shear)
        low, high = (
            (1 - self.zoom, 1 + self.zoom) if isinstance(self.zoom, int | float) else self.zoom
        )
        rows, columns = between(rng, low, high), between(rng, low, high)
        mirrored = chance(rng, 0.5 * self.horizontal_flip)
        flipped = chance(rng, 0.5 * self.vertical_flip)
        return Motion(rotation, down, right, shear, rows, columns, mirrored, flipped)

    def __call__(self, image: Image, mask: Mask, rng: np.random.Generator) -> tuple[Image, Mask]:
        """*image* (H, W, 3) and *mask* (H, W) after one drawn motion, at the same size."""
        motion = self.draw(mask.shape[0], mask.shape[1], rng)
        return moved(image, motion, self.fill, 1, shade(self.value, image.dtype)), moved(
            mask, motion, self.fill, 0, self.label
        )


def moved(
    array: NDArray[Any], motion: Motion, fill: Fill = "nearest", order: int = 1, value: float = 0.0
) -> NDArray[Any]:
    """*array* (H, W) or (H, W, C) after *motion*, interpolated by splines of *order* (0 nearest, 1
    bilinear); *value* beyond it if *fill* is constant.
    """
    from scipy import ndimage

    matrix, offset = motion.matrix(*array.shape[:2])
    if not np.array_equal(matrix, np.eye(2)) or offset.any():
        planes = array[:, :, None] if array.ndim == 2 else array
        real = np.dtype(np.float32 if array.dtype.itemsize < 2 else np.float64)
        move = partial(ndimage.affine_transform, matrix=matrix, offset=offset, order=order)
        kind = array.dtype if order == 0 else real
        channels = [
            move(planes[:, :, n], mode=MODES[fill], cval=value, output=kind)
            for n in range(planes.shape[2])
        ]
        array = as_kind(np.stack(channels, axis=2).reshape(array.shape), array.dtype)
    return array[:: -1 if motion.flipped else 1, :: -1 if motion.mirrored else 1]
