"""What the pixels of a VOC-style tree stand for: colors, values, names."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segprep.dataset import classes as class_lists
from segprep.dataset.tree import IMAGES, LABELMAP
from segprep.errors import SegprepError, SourceError, UsageError
from segprep.files import read_below
from segprep.imaging import image, mask_files, png
from segprep.sources._common.classes import color_tables, mask_values
from segprep.sources._common.classes.color_tables import ColorTable
from segprep.sources._common.masks import color_masks
from segprep.types import IGNORE, MAX_PIXELS, Classes, Item, Note

NAME_COLORS = (
    f"put a {LABELMAP} beside {IMAGES} (name:R,G,B:: per line), or use: segprep convert colormap"
    " --table FILE"
)


@dataclass(frozen=True, slots=True)
class PixelMeaning:
    """What the pixels of masks stand for: colors by *table*, values by *ids*; *sure*: 255 is not
    in doubt. *classes* are their number.
    """

    table: ColorTable
    ids: Mapping[int, int]
    classes: int
    sure: bool


EVERY = PixelMeaning(
    color_tables.voc(class_lists.numbered(255)), {n: n for n in range(256)}, 255, sure=True
)


def is_colored(data: bytes, path: Path, table: ColorTable, limit: int) -> bool:
    """Whether the mask holds colors: RGB that is not gray throughout, or all of whose grays are
    colors of *table* (VOC's car is one).
    """
    if png.is_one_channel(data) or image.header(data, path, limit).mode not in ("RGB", "RGBA"):
        return False
    shown = mask_files.colors(data, path, limit)
    if (shown[..., 0] != shown[..., 1]).any() or (shown[..., 0] != shown[..., 2]).any():
        return True
    grays = {color[0] for color, _ in table.colors if len(set(color)) == 1}
    seen = set(image.histogram(np.ascontiguousarray(shown[..., 0])))
    return seen != {0} and seen <= grays


def inferred(
    contents: mask_values.Contents, items: Sequence[Item], root: Path
) -> tuple[Classes, list[Note]]:
    """Classes without names for the *contents* of all masks of *items* below *root*; of colored
    ones the values are numbers in VOC's palette.

    Raises UsageError where they may mean something else.
    """
    try:
        return mask_values.infer(contents)
    except UsageError as error:
        path = items[0].labels[0] if items else None
        if not path or not is_colored(read_below(path, (root,)), path, EVERY.table, MAX_PIXELS):
            raise
        numbers = {number: color for color, number in reversed(EVERY.table.colors)}
        colors = [numbers[value] for value in sorted(contents.seen) if value in numbers]
        listed = "; ".join(",".join(map(str, color)) for color in colors[:8])
        reason = f"the masks hold the colors {listed}; what do they mean?"
        raise UsageError("values-unclear", reason, NAME_COLORS) from error


def by_color(data: bytes, path: Path, table: ColorTable, limit: int) -> NDArray[np.uint8]:
    """Ids (H, W) of a mask that holds colors. Raises SourceError."""
    try:
        return color_masks.decoded(mask_files.colors(data, path, limit), table, path).ids
    except SourceError as error:
        raise SourceError(
            path,
            error.reason,
            NAME_COLORS if error.code == "unknown-colour" else error.hint,
            error.code,
        ) from error


def numbered_names(path: Path, content: bytes) -> list[str]:
    """Names of a JSON object id -> name. Raises SegprepError."""
    try:
        names = {
            int(number): str(name)
            for number, name in json.loads(content).items()
            if int(number) != IGNORE
        }
    except (ValueError, AttributeError, RecursionError) as error:
        raise SegprepError(
            "bad-classes", f"{path}: {error}", 'write {"0": "background", …}'
        ) from error
    if not names or min(names) < 0 or max(names) >= class_lists.MOST:
        raise SegprepError(
            "bad-classes",
            f"{path}: its ids are {sorted(names)[:6]}; 0 to 254 are possible",
            'write {"0": "background", …}',
        )
    return [names.get(number, f"class_{number}") for number in range(max(names) + 1)]
