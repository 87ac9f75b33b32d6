"""Cityscapes' label files as masks: id images looked up, polygon files drawn.

Polygons are drawn as createLabelImage of https://github.com/mcordts/cityscapesScripts does: in the
file's order, by Pillow, names that end in "group" without instances.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from segprep.errors import SourceError, UnknownClassError
from segprep.imaging import image, mask_files, shapes
from segprep.imaging.coordinates import coordinates, shapes_of
from segprep.imaging.shapes import Painted, Shape
from segprep.names import shown, suggestion
from segprep.sources._common.texts import strict_json
from segprep.sources.cityscapes.ids import (
    ID,
    INSTANCE_IDS,
    LABEL_TRAIN_IDS,
    NAMES,
    TRAIN_IDS,
    UNDRAWN,
    WITH_INSTANCES,
    Labels,
    values,
)
from segprep.types import IGNORE, OBJECT_IGNORE, Note


def looked_up(
    data: bytes, path: Path, kind: str, labels: Labels, notes: list[Note], limit: int
) -> NDArray[np.uint8]:
    """The class ids (H, W) of an id image; *kind* is one of FILES.

    Raises SourceError that counts the values that are not an id.
    """
    ids = mask_files.values(data, path, notes, limit)
    table = values(labels)
    if kind == INSTANCE_IDS:
        wide = ids.astype(np.int32)
        ids = np.where(wide >= 1000, wide // 1000, wide)
    if kind == LABEL_TRAIN_IDS:
        table = [*range(len(TRAIN_IDS)), *[-1] * (IGNORE - len(TRAIN_IDS)), IGNORE]
    strangers = [
        f"{value} ({count} px)"
        for value, count in image.histogram(ids).items()
        if value >= len(table) or table[value] < 0
    ]
    if strangers:
        listed = ", ".join(strangers[:6]) + (" …" if len(strangers) > 6 else "")
        reason = f"{len(strangers)} pixel values are not Cityscapes ids: {listed}"
        hint = "is it another dataset under Cityscapes' names? then: segprep convert pairs --ids"
        raise SourceError(path, reason, hint, "unknown-value")
    return np.array(table, np.int16).astype(np.uint8).take(ids)


def instances(
    mask: NDArray[np.uint8], data: bytes, path: Path, notes: list[Note], limit: int
) -> NDArray[np.uint16]:
    """Instance ids (H, W) from 1, in the order of the numbers in the 16-bit file; 0 for what has
    none, OBJECT_IGNORE where *mask* ignores.
    """
    ids = mask_files.values(data, path, notes, limit)
    if ids.shape != mask.shape:
        reason = f"is {ids.shape[::-1]}, its label image {mask.shape[::-1]} pixels (width, height)"
        raise SourceError(path, reason, code="size-mismatch")
    counted = (ids >= 1000) & (mask != IGNORE)
    numbers = np.unique(ids[counted])
    objects = np.where(counted, np.searchsorted(numbers, ids) + 1, 0).astype(np.uint16)
    objects[mask == IGNORE] = OBJECT_IGNORE
    return objects


def drawn(
    data: bytes, path: Path, labels: Labels, objects: bool, notes: list[Note], limit: int
) -> Painted:
    """The mask of a polygon file, with instance ids if *objects*.

    What is hidden is not noted: scenes are drawn from back to front. Raises SourceError.
    """
    content = strict_json.parse(data, path).value
    size = _size(content, path, limit)
    listed = content.get("objects")
    if not isinstance(listed, list):
        raise SourceError(path, f"objects: a list was expected, not {type(listed).__name__}")
    table = values(labels)
    regions = [
        shape for number, raw in enumerate(listed) if (shape := _shape(path, number, raw, table))
    ]
    painted = shapes.paint_file(
        regions, size, path=path, address="objects", background=table[0], objects=objects
    )
    notes += (note for note in painted.notes if note.code != "hidden-shape")
    if painted.objects is not None:
        painted.objects[painted.mask == IGNORE] = OBJECT_IGNORE
    return painted


def _size(content: Any, path: Path, limit: int) -> tuple[int, int]:
    """imgHeight and imgWidth of a polygon file. Raises SourceError."""
    sides = [
        content.get(key) if isinstance(content, dict) else None for key in ("imgHeight", "imgWidth")
    ]
    if (
        not all(type(side) is int and side > 0 for side in sides)
        or math.prod(cast("list[int]", sides)) > limit
    ):
        reason = (
            f"imgHeight, imgWidth: two positive numbers, of at most {limit} pixels, were expected,"
            f" not {shown(tuple(sides))}"
        )
        raise SourceError(path, reason)
    return cast("tuple[int, int]", tuple(sides))


def _shape(path: Path, number: int, raw: Any, table: Sequence[int]) -> Shape | None:
    """One object of a polygon file, or None for one that is not drawn.

    A name that ends in "group" stands for several things at once.
    """
    address = f"objects[{number}]"
    if not isinstance(raw, dict):
        raise SourceError(path, f"{address}: an object was expected, not {type(raw).__name__}")
    label = raw.get("label")
    name = label.removesuffix("group") if isinstance(label, str) and label not in ID else label
    if raw.get("deleted") or name == UNDRAWN:
        return None
    if not isinstance(name, str) or name not in ID:
        reason = f"{address}.label: {shown(label)!r} is not a Cityscapes class"
        raise UnknownClassError(path, reason, suggestion(str(label), NAMES))
    key = number if ID[name] in WITH_INSTANCES and label == name else None
    with shapes_of(path):
        flat = coordinates(raw.get("polygon"), f"{address}.polygon", "a polygon", least=3)
        return Shape("polygon", flat, table[ID[name]], name, address, key)
