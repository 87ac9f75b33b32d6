"""Numbers of any kind as the 8 bits that a picture is shown with."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def eight_bits(values: NDArray[Any]) -> NDArray[np.uint8]:
    """*values*, any shape, as 8 bits: 16 bits lose their lower half, others are stretched from the
    least to the largest that is finite; what is not is black.
    """
    if values.dtype == np.uint8:
        return values
    if values.dtype.kind == "u" and values.dtype.itemsize == 2:
        return (values >> 8).astype(np.uint8)
    finite = np.isfinite(values)
    counted = values[finite] if finite.any() else np.zeros(1)
    low, high = float(counted.min()), float(counted.max())
    factor = 255 / (high - low) if high > low else 0
    return np.rint(np.where(finite, values - low, 0) * factor).astype(np.uint8)
