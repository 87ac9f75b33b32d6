"""What is told of an image by its picture in short: its mean color, how light and dark it is, and
the small gray picture that others are compared with. All sums are whole numbers, so that the kernel
and NumPy give the same.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segprep import kernel

SIDE, THUMBNAIL = 64, 32
_WEIGHTS = np.array([299, 587, 114], np.float32)  # thousandths; their sums are exact


class InShort(NamedTuple):
    """A picture in short: the sums of *red*, *green*, *blue* and *light* (thousandths of a level of
    luminance), the sum of the *squares* of that; whether it is *gray*, but for a level; how many
    *levels* its luminance has, and its *thumbnail* in these.
    """

    red: int
    green: int
    blue: int
    light: int
    squares: int
    gray: bool
    levels: int
    thumbnail: bytes


def in_short(colors: NDArray[np.uint8]) -> InShort:
    """What is told of *colors* (SIDE, SIDE, 3)."""
    if kernel.compiled is not None:
        return InShort(*kernel.compiled.in_short(colors))
    flat = colors.reshape(-1, 3).astype(np.float32)
    light = flat.dot(_WEIGHTS)
    levels = (light / 1000).astype(np.uint8)
    exact = light.astype(np.float64)
    picture = Image.fromarray(levels.reshape(SIDE, SIDE))
    red, green, blue = (np.ones(len(flat), np.float32) @ flat).tolist()
    return InShort(
        int(red),
        int(green),
        int(blue),
        int(exact.sum()),
        int(np.vdot(exact, exact)),
        _is_gray(colors),
        int(np.count_nonzero(np.bincount(levels, minlength=256))),
        picture.resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX).tobytes(),
    )


def _is_gray(colors: NDArray[np.uint8]) -> bool:
    """Whether red, green and blue differ by a level at most."""
    row = colors[len(colors) // 2].astype(np.int16)  # most pictures of colors show them here
    if np.abs(row[:, 0] - row[:, 1]).max() > 1:
        return False
    red, green, blue = (colors[..., band].astype(np.int16) for band in range(3))
    first = red - green
    if first.max() > 1 or first.min() < -1:
        return False
    second = green - blue
    return bool(second.max() <= 1 and second.min() >= -1)
