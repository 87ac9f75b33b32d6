"""The part of a picture that is not black."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from segprep import kernel


def lit(pixels: NDArray[Any]) -> tuple[slice, slice] | None:
    """The rows and columns of *pixels* (H, W), uint8 or bool, outside which all are 0; None where
    all are.
    """
    if kernel.compiled is not None and pixels.size:
        box = kernel.compiled.box(np.ascontiguousarray(pixels), pixels.shape[1])
        return None if box is None else (slice(*box[:2]), slice(*box[2:]))
    rows, columns = np.flatnonzero(pixels.any(1)), np.flatnonzero(pixels.any(0))
    if not len(rows):
        return None
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
