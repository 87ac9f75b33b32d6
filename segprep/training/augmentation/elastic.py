"""Elastic deformation as the U-Net paper describes it (Ronneberger, Fischer and Brox 2015, section
3.1): random shifts of a coarse 3 x 3 grid.

The shifts are normal with a standard deviation of *sigma* pixels; between the grid points, which
lie on the corners, the middles of the sides and the center, they are interpolated by cubic splines.
Pixels are then taken from where the shifts point: the image by bicubic interpolation, the mask by
nearest.
"""

from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray

from segprep.training.augmentation.steps import MODES, Checked, Fill, Image, Mask, as_kind
from segprep.types import IGNORE


@dataclass(frozen=True, slots=True)
class Elastic(Checked):
    """*sigma* in pixels, 0 is none; *grid* points a side; *order* of the image's interpolation: 3
    bicubic, 1 bilinear (a third of the time).

    Beyond the image: *fill* reflect (the paper mirrors), nearest or wrap continue both, constant
    puts black and *label*.
    """

    sigma: Annotated[float, 0, 10_000] = 10.0
    grid: Annotated[int, 2, 64] = 3
    order: Literal[1, 3] = 3
    fill: Fill = "reflect"
    label: Annotated[int, 0, 255] = IGNORE

    def field(self, height: int, width: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """(2, height, width): rows and columns from pixel to source. 2 * grid ** 2 normal draws."""
        shifts = rng.standard_normal((2, self.grid, self.grid)) * self.sigma
        return splines(height, self.grid) @ shifts @ splines(width, self.grid).T

    def __call__(self, image: Image, mask: Mask, rng: np.random.Generator) -> tuple[Image, Mask]:
        """Both deformed alike, at the same size."""
        from scipy import ndimage

        height, width = mask.shape
        field = self.field(height, width, rng)
        if self.sigma == 0:
            return image, mask
        places = field + np.stack(np.meshgrid(np.arange(height), np.arange(width), indexing="ij"))
        ids = ndimage.map_coordinates(mask, places, order=0, mode=MODES[self.fill], cval=self.label)
        take = partial(ndimage.map_coordinates, coordinates=places, order=self.order)
        planes = [
            take(plane.astype(np.float32), mode=MODES[self.fill], cval=0.0)
            for plane in np.moveaxis(image, 2, 0)
        ]
        return as_kind(np.stack(planes, axis=2), image.dtype), ids


@lru_cache(maxsize=16)
def splines(side: int, grid: int) -> NDArray[np.float64]:
    """(side, grid): what each grid point counts at each pixel of an axis, by cubic splines."""
    from scipy import ndimage

    places = np.linspace(0, grid - 1, side) if side > 1 else np.array([(grid - 1) / 2])
    take = partial(ndimage.map_coordinates, coordinates=places[None], order=3, mode="mirror")
    return np.stack([take(unit) for unit in np.eye(grid)], axis=1)
