"""A mask laid over its image, as a picture that notebooks show."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segprep.errors import UsageError
from segprep.reports import thumbnails


def overlay(
    image: NDArray[Any],
    mask: NDArray[Any],
    *,
    background: int | None = 0,
    opacity: float = 0.4,
    outlines: bool = True,
) -> Image.Image:
    """The classes of *mask* over *image*, as a picture (notebooks show it; ``.save("a.png")``).

    *image* is (H, W) or (H, W, 3), uint8, or any other numbers, which are stretched from their 1st
    to their 99th percentile; *mask* is (H, W) of class ids from 0 to 255. Classes are tinted by
    *opacity* (0 to 1), and bright along their *outlines*; the class *background* stays clear (None:
    no class does), 255 is gray. Raises UsageError for shapes that do not fit, or values that are no
    ids.
    """
    colored = np.asarray(image)
    if colored.ndim == 2:
        colored = np.repeat(colored[..., None], 3, axis=2)
    ids = np.asarray(mask)
    if colored.ndim != 3 or colored.shape[2] != 3 or ids.shape != colored.shape[:2]:
        raise UsageError(
            "size-mismatch",
            f"an image of shape {np.shape(image)} and a mask of shape {ids.shape} do not fit",
            "give an image (H, W) or (H, W, 3) and a mask (H, W)",
        )
    if ids.dtype.kind not in ("b", "u", "i") or ids.min(initial=0) < 0 or ids.max(initial=0) > 255:
        raise UsageError(
            "unknown-value",
            f"a mask of {ids.dtype} from {ids.min()} to {ids.max()} does not hold class ids",
            "give whole numbers from 0 to 255",
        )
    if not 0 <= opacity <= 1:
        raise UsageError("bad-option", f"opacity={opacity}", "give 0 to 1")
    shown = thumbnails.shown(colored)
    laid = thumbnails.laid_over(
        shown, ids.astype(np.uint8), background, opacity=opacity, outlined=outlines
    )
    return Image.fromarray(laid)
