"""The border weight map of the U-Net paper (Ronneberger, Fischer and Brox 2015, arXiv:1505.04597,
equation 2): gaps between touching objects weigh most.
"""

import math

import numpy as np
from numpy.typing import NDArray

from segprep.errors import UsageError

REACH = 6  # sigmas, beyond which the weight is below w0 * 2e-8


def border_weights(
    objects: NDArray[np.integer],
    w0: float = 10.0,
    sigma: float = 5.0,
    base: float | NDArray[np.floating] = 1.0,
    ignore: int | None = None,
) -> NDArray[np.float32]:
    """*base* + w0 * exp(-(d1 + d2)^2 / (2 sigma^2)) on the background, *base* on the objects: (H,
    W) object ids, 0 none -> (H, W) float32.

    d1 and d2 are the distances in pixels, from center to center, to the nearest pixel of the
    nearest and of the second nearest object: a background one pixel wide between two objects has d1
    + d2 = 2 and gets 9.23, one of 3, 5, 9 pixels 7.26, 4.87, 1.35. With fewer than two objects
    there is only *base*: w_c of the paper, a number or (H, W). Pixels with id *ignore* are no
    object and get 0. Raises UsageError (bad-option) for a *sigma* that is not above 0 (it is a
    length, not its square).
    """
    if not sigma > 0:
        raise UsageError("bad-option", f"sigma has to be above 0, not {sigma}")
    from scipy import ndimage

    ids = objects.copy()
    left_out = np.zeros(ids.shape, bool) if ignore is None else ids == ignore
    ids[left_out] = 0
    nearest, second = (np.full(ids.shape, np.inf) for _ in range(2))
    for box, number in _windows(ids, math.ceil(REACH * sigma)):
        distance = ndimage.distance_transform_edt(ids[box] != number)
        second[box] = np.minimum(second[box], np.maximum(nearest[box], distance))
        nearest[box] = np.minimum(nearest[box], distance)
    weights = base + w0 * np.exp(-((nearest + second) ** 2) / (2 * sigma**2)) * (ids == 0)
    return np.where(left_out, 0, weights).astype(np.float32)


def _windows(ids: NDArray[np.integer], reach: int) -> list[tuple[tuple[slice, ...], int]]:
    """Where each object can matter: its box, *reach* pixels wider on each side, and its id."""
    from scipy import ndimage

    numbers, dense = np.unique(ids, return_inverse=True)
    boxes = ndimage.find_objects(dense.reshape(ids.shape) + 1)
    wider = [
        tuple(slice(max(0, side.start - reach), side.stop + reach) for side in box) for box in boxes
    ]
    return [(box, int(number)) for number, box in zip(numbers, wider, strict=True) if number]
