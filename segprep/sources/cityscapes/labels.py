"""What Cityscapes' ids and names mean, and its label files as masks: id images looked up, polygon
files drawn.

The table is that of https://github.com/mcordts/cityscapesScripts (helpers/labels.py); polygons are
drawn as its createLabelImage does: in the file's order, by Pillow, names that end in "group"
without instances.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from segprep.errors import SourceError, UnknownClassError
from segprep.imaging import image, mask_files, shapes
from segprep.imaging.coordinates import coordinates, shapes_of
from segprep.imaging.shapes import Painted, Shape
from segprep.names import shown, suggestion
from segprep.sources._common import strict_json
from segprep.types import IGNORE, OBJECT_IGNORE, Note

NAMES = (
    "unlabeled", "ego vehicle", "rectification border", "out of roi", "static", "dynamic", "ground", "road", "sidewalk", "parking", "rail track",
    "building", "wall", "fence", "guard rail", "bridge", "tunnel", "pole", "polegroup", "traffic light", "traffic sign", "vegetation", "terrain",
    "sky", "person", "rider", "car", "truck", "bus", "caravan", "trailer", "train", "motorcycle", "bicycle",
)  # fmt: skip
TRAIN_IDS = (
    7,
    8,
    11,
    12,
    13,
    17,
    19,
    20,
    21,
    22,
    23,
    24,
    25,
    26,
    27,
    28,
    31,
    32,
    33,
)  # the label id of every train id
WITH_INSTANCES = frozenset(range(24, 34))
UNDRAWN = "license plate"  # label id -1
LABEL_IDS, LABEL_TRAIN_IDS, INSTANCE_IDS, POLYGONS = FILES = (
    "labelIds.png",
    "labelTrainIds.png",
    "instanceIds.png",
    "polygons.json",
)
VOID = frozenset(
    range(4)
    # unlabeled, ego vehicle, rectification border, out of roi: all that the withheld labels of the
    # test
    # images hold
)
Labels = Literal["train", "all"]
_ID = {name: number for number, name in enumerate(NAMES)}


def classes(labels: Labels) -> tuple[str, ...]:
    """The 19 classes of the benchmark in the order of their train ids, or the 34 names in the order
    of their label ids.
    """
    return tuple(NAMES[number] for number in TRAIN_IDS) if labels == "train" else NAMES


def values(labels: Labels) -> list[int]:
    """The pixel value of every label id: its train id, or 255 where it has none; or itself."""
    if labels == "all":
        return list(range(len(NAMES)))
    return [
        TRAIN_IDS.index(number) if number in TRAIN_IDS else IGNORE for number in range(len(NAMES))
    ]


def looked_up(
    data: bytes, path: Path, kind: str, labels: Labels, notes: list[Note], limit: int
) -> NDArray[np.uint8]:
    """The class ids (H, W) of an id image; *kind* is one of FILES.

    Raises SourceError that counts the values that are no id.
    """
    found = mask_files.values(data, path, notes, limit)
    table = values(labels)
    if kind == INSTANCE_IDS:
        wide = found.astype(np.int32)
        found = np.where(wide >= 1000, wide // 1000, wide)
    if kind == LABEL_TRAIN_IDS:
        table = [*range(len(TRAIN_IDS)), *[-1] * (IGNORE - len(TRAIN_IDS)), IGNORE]
    wrong = {
        value: count
        for value, count in image.histogram(found).items()
        if value >= len(table) or table[value] < 0
    }
    if wrong:
        listed = ", ".join(f"{value} ({count} px)" for value, count in list(wrong.items())[:6]) + (
            " …" if len(wrong) > 6 else ""
        )
        hint = (
            "is it another data set under Cityscapes' names? then use: segprep convert pairs --ids"
        )
        raise SourceError(
            path, f"{len(wrong)} pixel values are no Cityscapes id: {listed}", hint, "unknown-value"
        )
    return np.array(table, np.int16).astype(np.uint8).take(found)


def instances(
    mask: NDArray[np.uint8], data: bytes, path: Path, notes: list[Note], limit: int
) -> NDArray[np.uint16]:
    """Instance ids (H, W) from 1, in the order of the numbers in the 16-bit file; 0 for what has
    none, OBJECT_IGNORE where *mask* ignores.
    """
    found = mask_files.values(data, path, notes, limit)
    if found.shape != mask.shape:
        raise SourceError(
            path,
            f"is {found.shape[::-1]}, its label image {mask.shape[::-1]} pixels (width, height)",
            code="size-mismatch",
        )
    counted = (found >= 1000) & (mask != IGNORE)
    numbers = np.unique(found[counted])
    objects = np.where(counted, np.searchsorted(numbers, found) + 1, 0).astype(np.uint16)
    objects[mask == IGNORE] = OBJECT_IGNORE
    return objects


def drawn(
    data: bytes, path: Path, labels: Labels, objects: bool, notes: list[Note], limit: int
) -> Painted:
    """The mask of a polygon file, with instance ids if *objects*.

    What is hidden is no note: scenes are drawn from back to front. Raises SourceError.
    """
    content = strict_json.parse(data, path).value
    size = (
        tuple(content.get(key) for key in ("imgHeight", "imgWidth"))
        if isinstance(content, dict)
        else ()
    )
    if (
        len(size) != 2
        or not all(type(value) is int and value > 0 for value in size)
        or math.prod(cast("Any", size)) > limit
    ):
        raise SourceError(
            path,
            f"imgHeight, imgWidth: two positive numbers, of at most {limit} pixels, were expected,"
            f" not {shown(size)}",
        )
    listed = content.get("objects")
    if not isinstance(listed, list):
        raise SourceError(path, f"objects: a list was expected, not {type(listed).__name__}")
    table = values(labels)
    regions = [
        shape for number, raw in enumerate(listed) if (shape := _shape(path, number, raw, table))
    ]
    painted = shapes.paint_file(
        regions,
        cast("tuple[int, int]", size),
        path=path,
        address="objects",
        background=table[0],
        objects=objects,
    )
    notes += (note for note in painted.notes if note.code != "hidden-shape")
    if painted.objects is not None:
        painted.objects[painted.mask == IGNORE] = OBJECT_IGNORE
    return painted


def _shape(path: Path, number: int, raw: Any, table: Sequence[int]) -> Shape | None:
    """One object of a polygon file, or None for one that is not drawn.

    A name that ends in "group" stands for several things at once.
    """
    where = f"objects[{number}]"
    if not isinstance(raw, dict):
        raise SourceError(path, f"{where}: an object was expected, not {type(raw).__name__}")
    label = raw.get("label")
    name = label.removesuffix("group") if isinstance(label, str) and label not in _ID else label
    if raw.get("deleted") or name == UNDRAWN:
        return None
    if name not in _ID:
        raise UnknownClassError(
            path,
            f"{where}.label: {shown(label)!r} is not a Cityscapes class",
            suggestion(str(label), NAMES),
        )
    key = number if _ID[name] in WITH_INSTANCES and label == name else None
    with shapes_of(path):
        flat = coordinates(raw.get("polygon"), f"{where}.polygon", "a polygon", least=3)
        return Shape("polygon", flat, table[_ID[name]], name, where, key)
