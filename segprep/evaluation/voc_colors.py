"""Label maps that were saved in VOC's colors, or in the grays of these colors, instead of ids:
what they hold, and how to turn them back.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from segprep.errors import SourceError
from segprep.types import IGNORE

if TYPE_CHECKING:
    from PIL import Image

HINT = (
    "if these are VOC's colors, read them with --colors voc; other colors become ids with"
    " segprep convert colormap"
)


@cache
def color_ids(classes: int) -> dict[int, int]:
    """Color (red << 16 | green << 8 | blue) -> id, of VOC's first *classes* colors and of that of
    ignored pixels.
    """
    from segprep.imaging.image import voc_colors

    table = voc_colors()
    return {
        int.from_bytes(table[3 * value : 3 * value + 3]): value
        for value in (*range(min(classes, 256)), IGNORE)
    }


@cache
def gray_ids(classes: int) -> dict[int, int] | None:
    """Gray level, as Pillow makes it of a color -> id; None where two of the first *classes*
    colors become one gray.
    """
    from PIL import Image

    from segprep.imaging.image import voc_colors

    table = voc_colors()
    row = Image.frombytes("RGB", (256, 1), table).convert("L").tobytes()
    grays = {row[value]: value for value in (*range(min(classes, 256)), IGNORE)}
    return grays if len(grays) == len({*range(min(classes, 256)), IGNORE}) else None


def ids(picture: "Image.Image", path: Path, classes: int) -> NDArray[np.uint8]:
    """Class ids (H, W) of an open image in VOC's colors or their grays; the indices of one that
    has a palette. Raises SourceError for other colors.
    """
    if picture.mode == "P":
        return np.asarray(picture)
    gray = picture.mode in ("L", "1")
    table = gray_ids(classes) if gray else color_ids(classes)
    if table is None:
        raise SourceError(
            path,
            f"of VOC's first {classes} colors some become the same gray; which class is meant is"
            " lost",
            "write class ids",
            "unknown-colour",
        )
    values, places = np.unique(
        np.asarray(picture.convert("L")) if gray else packed(picture), return_inverse=True
    )
    labels = [table.get(int(value)) for value in values]
    if None in labels:
        text = shown(int(values[labels.index(None)]), gray)
        pixels = int((places == labels.index(None)).sum())
        raise SourceError(
            path,
            f"{text} ({pixels} px) is not a color of VOC's first {classes} classes",
            "write class ids",
            "unknown-colour",
        )
    return np.array(labels, np.uint8)[places].reshape(picture.height, picture.width)


def packed(picture: "Image.Image") -> NDArray[Any]:
    """Colors (H, W) as one uint32 each."""
    pixels = np.asarray(picture.convert("RGB")).astype(np.uint32)
    return pixels[..., 0] << 16 | pixels[..., 1] << 8 | pixels[..., 2]


def shown(value: int, gray: bool) -> str:
    """A color for people."""
    return f"gray {value}" if gray else f"color {value >> 16},{value >> 8 & 255},{value & 255}"


def described(picture: "Image.Image") -> str:
    """What colors an open image holds, most frequent first."""
    if picture.mode not in ("RGB", "RGBA"):
        return f"pixel type {picture.mode}, where one value per pixel was expected"
    values, counts = np.unique(packed(picture), return_counts=True)
    order = np.argsort(-counts, kind="stable")[:3]
    most = ", ".join(
        f"{shown(int(values[n]), False).removeprefix('color ')} ({int(counts[n])} px)"
        for n in order
    )
    return (
        f"pixel type {picture.mode}, where one value per pixel was expected; its colors: {most}"
        + (f" and {len(values) - 3} more" if len(values) > 3 else "")
    )


def fits(values: Any, classes: int) -> bool:
    """Whether gray *values* are all VOC's, and can be turned back."""
    table = gray_ids(classes)
    return table is not None and all(int(value) in table for value in values)
