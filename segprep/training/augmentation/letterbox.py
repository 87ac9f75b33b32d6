"""Letterbox: an image shrunk or grown to fit a frame, on grey bars; its mask likewise, on bars that
count nowhere.

The tutorials' loaders fill the mask's bars with 0, which trains the grey as background, or as the
target where dark pixels are the target; here the bars are 255. ``label=0`` gives their behaviour
back. Source of the rule: unet-pytorch and unet-keras (bubbliiiing), scale = min, sides cut to int.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from segprep.training.augmentation.resize import resampled
from segprep.training.augmentation.steps import GREY, Image, Mask, need, need_whole, shade
from segprep.types import IGNORE

Anchor = Literal["centre", "corner"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where an image lies in its frame: *height* and *width* of the image there, *top* and *left*
    of it, in pixels.
    """

    height: int
    width: int
    top: int
    left: int

    def cut(self, array: NDArray[Any]) -> NDArray[Any]:
        """The image's part of *array* (..., rows, columns) of the frame: the bars are gone."""
        return array[..., self.top : self.top + self.height, self.left : self.left + self.width]


def placed(height: int, width: int, rows: int, columns: int, anchor: Anchor = "centre") -> Place:
    """The largest image of the shape (*height*, *width*) that fits (*rows*, *columns*). No side
    falls below 1.

    >>> placed(584, 565, 512, 512), placed(375, 500, 512, 512)
    (Place(height=512, width=495, top=0, left=8), Place(height=384, width=512, top=64, left=0))
    """
    factor = min(rows / height, columns / width)
    h, w = max(1, int(height * factor)), max(1, int(width * factor))
    return (
        Place(h, w, 0, 0)
        if anchor == "corner"
        else Place(h, w, (rows - h) // 2, (columns - w) // 2)
    )


@dataclass(frozen=True, slots=True)
class Letterbox:
    """A frame of (*rows*, *columns*): the image by bicubic interpolation on *grey* (of 0..255), the
    mask by nearest on *label*.

    *anchor* centre, or corner: the upper left, as keep_image_size_open of
    qiaofengsheng/pytorch-UNet has it (there on grey 0, 256 x 256). Raises UsageError (bad-option).
    """

    rows: int
    columns: int
    grey: int = GREY
    label: int = IGNORE
    anchor: Anchor = "centre"

    def __post_init__(self) -> None:
        for name in ("rows", "columns"):
            need_whole(name, getattr(self, name), 1, 65_535)
        for name in ("grey", "label"):
            need_whole(name, getattr(self, name), 0, 255)
        need(
            self.anchor in ("centre", "corner"),
            f"anchor has to be centre or corner, not {self.anchor!r}",
        )

    def place(self, height: int, width: int) -> Place:
        """Where an image of (*height*, *width*) comes to lie."""
        return placed(height, width, self.rows, self.columns, self.anchor)

    def __call__(
        self, image: Image, mask: Mask, rng: np.random.Generator | None = None
    ) -> tuple[Image, Mask]:
        """(rows, columns, 3) and (rows, columns). Nothing is drawn."""
        place = self.place(*mask.shape)
        return (
            framed(
                resampled(image, place.height, place.width, "bicubic"),
                self.rows,
                self.columns,
                place.top,
                place.left,
                shade(self.grey, image.dtype),
            ),
            framed(
                resampled(mask, place.height, place.width, "nearest"),
                self.rows,
                self.columns,
                place.top,
                place.left,
                self.label,
            ),
        )

    def restored(self, array: NDArray[Any], height: int, width: int) -> NDArray[Any]:
        """The inverse for *array* (H, W) or (H, W, 3) of the frame: bars cut off, then to
        (*height*, *width*), masks by nearest, images by bicubic.
        """
        place = self.place(height, width)
        inner = array[place.top : place.top + place.height, place.left : place.left + place.width]
        return resampled(inner, height, width, "nearest" if array.ndim == 2 else "bicubic")


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
