"""Letterbox: an image shrunk or grown to fit a frame, on gray bars; its mask the same way, on
bars that count nowhere.

The tutorials' loaders fill the mask's bars with 0, which trains the gray as background, or as the
target where dark pixels are the target; here the bars are 255. ``label=0`` gives their behavior
back. Source of the rule: unet-pytorch and unet-keras (bubbliiiing), scale = min, sides cut to int.
"""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from segprep.training.augmentation.scaling import resampled
from segprep.training.augmentation.steps import GRAY, Checked, Image, Mask, shade
from segprep.training.data.pairs import fitted
from segprep.types import IGNORE

Anchor = Literal["center", "corner"]


@dataclass(frozen=True, slots=True)
class Letterbox(Checked):
    """A frame of (*rows*, *columns*): the image by bicubic interpolation on *gray* (of 0..255), the
    mask by nearest on *label*.

    *anchor* center, or corner: the upper left, as keep_image_size_open of
    qiaofengsheng/pytorch-UNet has it (there on gray 0, 256 x 256).
    """

    rows: Annotated[int, 1, 65_535]
    columns: Annotated[int, 1, 65_535]
    gray: Annotated[int, 0, 255] = GRAY
    label: Annotated[int, 0, 255] = IGNORE
    anchor: Anchor = "center"

    def placement(self, height: int, width: int) -> tuple[int, int, int, int]:
        """(h, w, top, left) of an image of (*height*, *width*) in the frame."""
        h, w = fitted(height, width, self.rows, self.columns)
        if self.anchor == "corner":
            return h, w, 0, 0
        return h, w, (self.rows - h) // 2, (self.columns - w) // 2

    def __call__(
        self, image: Image, mask: Mask, rng: np.random.Generator | None = None
    ) -> tuple[Image, Mask]:
        """(rows, columns, 3) and (rows, columns). Nothing is drawn."""
        h, w, top, left = self.placement(*mask.shape)
        frame = partial(framed, rows=self.rows, columns=self.columns, top=top, left=left)
        small, ids = resampled(image, h, w, "bicubic"), resampled(mask, h, w, "nearest")
        return frame(small, value=shade(self.gray, image.dtype)), frame(ids, value=self.label)


def framed(
    array: NDArray[Any], rows: int, columns: int, top: int, left: int, value: float
) -> NDArray[Any]:
    """*array* (h, w, ...) put at (*top*, *left*), which may be negative, on a frame of (*rows*,
    *columns*, ...) of *value*; what falls beside it is lost.
    """
    frame = np.full((rows, columns, *array.shape[2:]), value, array.dtype)
    h, w = array.shape[:2]
    inside = frame[max(top, 0) : max(top + h, 0), max(left, 0) : max(left + w, 0)]
    inside[...] = array[max(-top, 0) :, max(-left, 0) :][: inside.shape[0], : inside.shape[1]]
    return frame
