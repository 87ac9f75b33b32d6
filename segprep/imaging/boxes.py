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
    rows = span(pixels, 1)
    return (rows, span(pixels[rows], 0)) if rows.stop else None


def span(pixels: NDArray[Any], axis: int) -> slice:
    """Outside which all of *pixels* (H, W) is 0 along *axis*; slice(0, 0) where all are."""
    lit = np.logical_or.reduce(pixels, axis).tobytes()
    return slice(max(lit.find(1), 0), lit.rfind(1) + 1)
