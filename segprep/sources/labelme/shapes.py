"""Shapes as labelme writes them, checked and ready to paint: points that are finite and as many as
their type needs, embedded masks that fit.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from segprep.errors import SegprepError, SourceError
from segprep.imaging import image, shapes
from segprep.imaging.shapes import Shape
from segprep.names import shown
from segprep.sources.labelme import picture
from segprep.types import Note

MAX_POINTS = 100_000
FARTHEST = 1e100  # beyond this a coordinate is no place, and arithmetic on it would overflow
_POINTS = {"polygon": (3, MAX_POINTS), "rectangle": (2, 4), "oriented_rectangle": (4, 4), "rotation": (4, 4), "circle": (2, 2), "line": (2, 2), "linestrip": (2, MAX_POINTS), "point": (1, 1), "points": (1, MAX_POINTS), "mask": (2, 2)}  # fmt: skip
SMALL_MASK = 1_000_000  # pixels; a larger mask shape may not have more than its image


@dataclass(frozen=True, slots=True)
class Pens:
    """How thick lines and points are drawn, in pixels."""

    line_width: int
    point_radius: int


def shape(
    path: Path,
    where: str,
    raw: Mapping[str, Any],
    label: str,
    value: int,
    number: int,
    size: tuple[int, int],
    pens: Pens,
    notes: list[Note],
) -> Shape:
    """The shape *raw*, number *number* of the file at *path*, as something to paint on a picture of
    *size* (H, W). *where* is its address. Raises SourceError.
    """
    kind = raw.get("shape_type") or "polygon"
    if not isinstance(kind, str) or kind not in _POINTS:
        raise SourceError(
            path,
            f"{where}.shape_type: {shown(kind)!r} is not known",
            f"known: {', '.join(_POINTS)}",
            "unknown-shape-type",
        )
    flat = _flat(path, f"{where}.points", raw.get("points"))
    least, most = _POINTS[kind]
    if not least <= len(flat) // 2 <= most:
        needs = f"{least}" if least == most else f"{least} to {most}"
        raise SourceError(
            path,
            f"{where}.points: {kind} needs {needs} points, has {len(flat) // 2}",
            "redraw or delete the shape",
            "bad-shape",
        )
    group = raw.get("group_id")
    if not isinstance(group, int | str | float | None):
        raise SourceError(
            path, f"{where}.group_id: a number or text was expected, not {type(group).__name__}"
        )
    key = (label, number) if group is None else (label, "group", group)
    made = Shape("polygon", flat, value, label, where, key)
    if kind == "circle":
        made = Shape(
            "disc",
            flat[:2],
            value,
            label,
            where,
            key,
            radius=math.hypot(flat[0] - flat[2], flat[1] - flat[3]),
        )
    elif kind in ("point", "points"):
        made = Shape("points", flat, value, label, where, key, radius=pens.point_radius)
    elif kind in ("line", "linestrip"):
        made = Shape("line", flat, value, label, where, key, width=pens.line_width)
    elif kind == "mask":
        return _stamp(path, where, raw, flat, made, max(SMALL_MASK, size[0] * size[1]))
    elif kind == "rectangle":
        made = Shape("rectangle", flat, value, label, where, key)
    if kind in ("polygon", "rectangle", "circle") and shapes.degenerate(made):
        notes.append(Note("degenerate-shape", f"{where} ({shown(label)}) encloses no area"))
    return made


def _flat(path: Path, where: str, points: Any) -> tuple[float, ...]:
    """*points* [[x, y], …] as x0, y0, x1, y1, … of finite numbers.

    Raises SourceError with the address of the first wrong one.
    """
    if not isinstance(points, list):
        raise SourceError(
            path, f"{where}: a list was expected, not {type(points).__name__}", code="bad-shape"
        )
    if len(points) > MAX_POINTS:
        raise SourceError(
            path,
            f"{where}: {len(points)} points; {MAX_POINTS} are allowed",
            "simplify the outline",
            "shape-too-complex",
        )
    if set(map(type, points)) <= {list} and set(map(len, points)) <= {2}:
        flat = tuple(chain.from_iterable(points))
        if set(map(type, flat)) <= {int, float} and (
            not flat or (max(flat) < FARTHEST and min(flat) > -FARTHEST)
        ):
            return (
                flat if not flat or max(map(abs, flat)) < 2**31 else tuple(map(float, flat))
            )  # an int may be too long for NumPy
    at = next(n for n, point in enumerate(points) if not _is_point(point))
    raise SourceError(
        path,
        f"{where}[{at}]: two finite numbers were expected, not {shown(points[at])[:80]}",
        "redraw or delete the shape",
        "bad-shape",
    )


def _is_point(point: Any) -> bool:
    return (
        type(point) is list
        and len(point) == 2
        and all(type(value) in (int, float) and -FARTHEST < value < FARTHEST for value in point)
    )


def _stamp(
    path: Path, where: str, raw: Mapping[str, Any], flat: tuple[float, ...], like: Shape, limit: int
) -> Shape:
    """A shape of type mask: an embedded PNG, placed with its first pixel at the first point; at
    most *limit* pixels.
    """
    encoded = raw.get("mask")
    if not isinstance(encoded, str):
        raise SourceError(
            path,
            f"{where}.mask: a base64 PNG was expected",
            "redraw or delete the shape",
            "bad-shape",
        )
    try:
        data = picture.decoded(path, encoded.encode(), "base64")
        bitmap = image.decode_mask(data, path, limit) > 0
    except SegprepError as error:
        raise SourceError(
            path,
            f"{where}.mask: {getattr(error, 'reason', error.message)}",
            "redraw or delete the shape",
            "bad-shape",
        ) from error
    left, top, right, bottom = (int(max(-1e9, min(1e9, value))) for value in flat)
    if abs(bottom - top + 1 - bitmap.shape[0]) > 1 or abs(right - left + 1 - bitmap.shape[1]) > 1:
        size, box = f"{bitmap.shape[1]}x{bitmap.shape[0]}", f"{right - left + 1}x{bottom - top + 1}"
        raise SourceError(
            path,
            f"{where}.mask: the picture is {size}, its points span {box}",
            "redraw or delete the shape",
            "bad-shape",
        )
    return Shape(
        "stamp",
        (left, top),
        like.value,
        like.label,
        like.address,
        like.key,
        bitmap=shapes.pack(bitmap),
    )
