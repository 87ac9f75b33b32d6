"""Label maps that were saved in VOC's colours, or in the greys of these colours, instead of ids:
what they hold, and how to turn them back.
"""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segprep.errors import SourceError
from segprep.imaging.image import voc_colors
from segprep.types import IGNORE

HINT = (
    "if these are VOC's colours, read them with --colours voc; other colours become ids with"
    " segprep convert colormap"
)


@cache
def colour_ids(classes: int) -> dict[int, int]:
    """Colour (red << 16 | green << 8 | blue) -> id, of VOC's first *classes* colours and of that of
    ignored pixels.
    """
    table = voc_colors()
    return {
        int.from_bytes(table[3 * one : 3 * one + 3]): one
        for one in (*range(min(classes, 256)), IGNORE)
    }


@cache
def grey_ids(classes: int) -> dict[int, int] | None:
    """Grey level, as Pillow makes it of a colour -> id; None where two of the first *classes*
    colours become one grey.
    """
    table = voc_colors()
    row = Image.frombytes("RGB", (256, 1), table).convert("L").tobytes()
    found = {row[one]: one for one in (*range(min(classes, 256)), IGNORE)}
    return found if len(found) == len({*range(min(classes, 256)), IGNORE}) else None


def ids(picture: Image.Image, path: Path, classes: int) -> NDArray[np.uint8]:
    """Class ids (H, W) of an open image in VOC's colours or their greys; the indices of one that
    has a palette. Raises SourceError for other colours.
    """
    if picture.mode == "P":
        return np.asarray(picture)
    grey = picture.mode in ("L", "1")
    table = grey_ids(classes) if grey else colour_ids(classes)
    if table is None:
        raise SourceError(
            path,
            f"of VOC's first {classes} colours some become the same grey; which class is meant is"
            " lost",
            "write class ids",
            "unknown-colour",
        )
    values, places = np.unique(
        np.asarray(picture.convert("L")) if grey else packed(picture), return_inverse=True
    )
    known = [table.get(int(value)) for value in values]
    if None in known:
        text = shown(int(values[known.index(None)]), grey)
        pixels = int((places == known.index(None)).sum())
        raise SourceError(
            path,
            f"{text} ({pixels} px) is no colour of VOC's first {classes} classes",
            "write class ids",
            "unknown-colour",
        )
    return np.array(known, np.uint8)[places].reshape(picture.height, picture.width)


def packed(picture: Image.Image) -> NDArray[Any]:
    """Colours (H, W) as one uint32 each."""
    pixels = np.asarray(picture.convert("RGB")).astype(np.uint32)
    return pixels[..., 0] << 16 | pixels[..., 1] << 8 | pixels[..., 2]


def shown(value: int, grey: bool) -> str:
    """A colour for people."""
    return f"grey {value}" if grey else f"colour {value >> 16},{value >> 8 & 255},{value & 255}"


def described(picture: Image.Image) -> str:
    """What colours an open image holds, the commonest first."""
    if picture.mode not in ("RGB", "RGBA"):
        return f"pixel type {picture.mode}, where one value per pixel was expected"
    values, counts = np.unique(packed(picture), return_counts=True)
    order = np.argsort(-counts, kind="stable")[:3]
    most = ", ".join(
        f"{shown(int(values[n]), False).removeprefix('colour ')} ({int(counts[n])} px)"
        for n in order
    )
    return (
        f"pixel type {picture.mode}, where one value per pixel was expected; its colours: {most}"
        + (f" and {len(values) - 3} more" if len(values) > 3 else "")
    )


def fits(values: Any, classes: int) -> bool:
    """Whether grey *values* are all VOC's, and can be turned back."""
    table = grey_ids(classes)
    return table is not None and all(int(value) in table for value in values)
