"""Shapes as labelme writes them, checked and ready to paint: points that are finite and as many as
their type needs, embedded masks that fit.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segprep.errors import SegprepError, ShapeError, SourceError
from segprep.imaging import image, shapes
from segprep.imaging.coordinates import MAX_POINTS, coordinates
from segprep.imaging.shapes import Shape
from segprep.names import shown
from segprep.sources.labelme import picture
from segprep.types import Note

_POINTS = {"polygon": (3, MAX_POINTS), "rectangle": (2, 4), "oriented_rectangle": (4, 4), "rotation": (4, 4), "circle": (2, 2), "line": (2, 2), "linestrip": (2, MAX_POINTS), "point": (1, 1), "points": (1, MAX_POINTS), "mask": (2, 2)}  # fmt: skip
SMALL_MASK = 1_000_000  # pixels; a larger mask shape may not have more than its image


@dataclass(frozen=True, slots=True)
class Pens:
    """How thick lines and points are drawn, in pixels."""

    line_width: int
    point_radius: int


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a shape stands for: its *label*, the pixel *value* it is painted as, its *number* in the
    file, the *address* that messages name it by.
    """

    label: str
    value: int
    number: int
    address: str


def shape(
    raw: Mapping[str, Any], meaning: Meaning, *, path: Path, size: tuple[int, int], pens: Pens
) -> Shape:
    """The shape *raw* of the file at *path*, as something to paint on a picture of *size* (H, W).

    Raises ShapeError with the address in the file.
    """
    address, kind = meaning.address, raw.get("shape_type") or "polygon"
    if not isinstance(kind, str) or kind not in _POINTS:
        reason, hint = f"{shown(kind)!r} is not known", f"known: {', '.join(_POINTS)}"
        raise ShapeError(f"{address}.shape_type: {reason}", hint, "unknown-shape-type")
    least, most = _POINTS[kind]
    flat = coordinates(raw.get("points"), f"{address}.points", kind, least=least, most=most)
    fields: dict[str, Any] = {
        "value": meaning.value,
        "label": meaning.label,
        "address": address,
        "key": _instance(raw, meaning),
    }
    if kind == "mask":
        return _stamp(raw, flat, fields, path=path, limit=max(SMALL_MASK, size[0] * size[1]))
    if kind == "circle":
        radius = math.hypot(flat[0] - flat[2], flat[1] - flat[3])
        return Shape("disc", flat[:2], radius=radius, **fields)
    if kind in ("point", "points"):
        return Shape("points", flat, radius=pens.point_radius, **fields)
    if kind in ("line", "linestrip"):
        return Shape("line", flat, width=pens.line_width, **fields)
    return Shape("rectangle" if kind == "rectangle" else "polygon", flat, **fields)


def degenerate(drawn: Shape) -> Note | None:
    """A note where an area encloses nothing; lines, points and masks never do."""
    if drawn.kind in ("polygon", "rectangle", "disc") and shapes.degenerate(drawn):
        reason = f"{drawn.address} ({shown(drawn.label)}) encloses no area"
        return Note("degenerate-shape", reason)
    return None


def _instance(raw: Mapping[str, Any], meaning: Meaning) -> object:
    """What tells instances apart: the group, or the shape itself where it has none."""
    group = raw.get("group_id")
    if not isinstance(group, int | str | float | None):
        reason = f"a number or text was expected, not {type(group).__name__}"
        raise ShapeError(f"{meaning.address}.group_id: {reason}", code="bad-annotation")
    return (meaning.label, meaning.number) if group is None else (meaning.label, "group", group)


def _stamp(
    raw: Mapping[str, Any],
    flat: tuple[float, ...],
    fields: Mapping[str, Any],
    *,
    path: Path,
    limit: int,
) -> Shape:
    """A shape of type mask: an embedded PNG, placed with its first pixel at the first point; at
    most *limit* pixels.
    """
    address, encoded = f"{fields['address']}.mask", raw.get("mask")
    if not isinstance(encoded, str):
        raise ShapeError(f"{address}: a base64 PNG was expected")
    try:
        data = picture.decoded(path, encoded.encode(), "base64")
        bitmap = image.decode_mask(data, path, limit) > 0
    except SegprepError as error:
        reason = error.reason if isinstance(error, SourceError) else error.message
        raise ShapeError(f"{address}: {reason}") from error
    left, top, right, bottom = map(int, flat)
    if abs(bottom - top + 1 - bitmap.shape[0]) > 1 or abs(right - left + 1 - bitmap.shape[1]) > 1:
        size, box = f"{bitmap.shape[1]}x{bitmap.shape[0]}", f"{right - left + 1}x{bottom - top + 1}"
        raise ShapeError(f"{address}: the picture is {size}, its points span {box}")
    return Shape("stamp", (left, top), bitmap=shapes.pack(bitmap), **fields)
