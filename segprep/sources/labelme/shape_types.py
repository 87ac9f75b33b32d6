"""Shapes as labelme writes them, checked and ready to paint: points that are finite and as many as
their type needs, embedded masks that fit.

Two of labelme's rules changed; the ``version`` in the file says which one its author saw. Since 7.0
the joints of a linestrip are rounded. Since 7.1 a mask shape with fractional corners is placed by
rounding them (before, they were cut off, and labelme failed where the bitmap then did not fit its
box), and a bitmap larger than its whole-numbered box is cropped.

From X-AnyLabeling: ``rotation`` and ``quadrilateral`` are polygons of four points, a ``cuboid`` is
painted as the outline around its eight. A rectangle of four points that are not upright is the
quadrilateral.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segprep.errors import SegprepError, ShapeError, SourceError
from segprep.imaging import image, shapes
from segprep.imaging.coordinates import MAX_POINTS, coordinates
from segprep.imaging.shapes import Shape
from segprep.names import shown
from segprep.sources._common.classes.labels import LabelMeaning
from segprep.sources.labelme.embedded import decoded

_POINTS = {
    "polygon": (3, MAX_POINTS),
    "rectangle": (2, 4),
    "oriented_rectangle": (4, 4),
    "rotation": (4, 4),
    "quadrilateral": (4, 4),
    "cuboid": (8, 8),
    "circle": (2, 2),
    "line": (2, 2),
    "linestrip": (2, MAX_POINTS),
    "point": (1, 1),
    "points": (1, MAX_POINTS),
    "mask": (2, 2),
}
ROUNDED_JOINTS, ROUNDED_CORNERS = (7, 0), (7, 1)  # the versions that changed a rule
SMALL_MASK = 1_000_000  # pixels; a larger mask shape may not have more than its image


@dataclass(frozen=True, slots=True)
class Pens:
    """How thick lines and points are drawn, in pixels."""

    line_width: int
    point_radius: int


def shape(
    raw: Mapping[str, Any],
    meaning: LabelMeaning,
    number: int,
    *,
    path: Path,
    size: tuple[int, int],
    pens: Pens,
    version: tuple[int, int] = (0, 0),
) -> Shape:
    """The shape *raw*, number *number* of the file at *path*, as something to paint on a picture of
    *size* (H, W), by the rules of labelme *version* (major, minor).

    Raises ShapeError with the address in the file.
    """
    address, kind = f"shapes[{number}]", raw.get("shape_type") or "polygon"
    if not isinstance(kind, str) or kind not in _POINTS:
        reason, hint = f"{shown(kind)!r} is not known", f"known: {', '.join(_POINTS)}"
        raise ShapeError(f"{address}.shape_type: {reason}", hint, "unknown-shape-type")
    least, most = _POINTS[kind]
    flat = coordinates(raw.get("points"), f"{address}.points", kind, least=least, most=most)
    told = meaning.value, meaning.label, address, _instance(raw, meaning.label, number)
    if kind == "mask":
        limit = max(SMALL_MASK, size[0] * size[1])
        return _stamp(raw, flat, told, path=path, limit=limit, version=version)
    if kind == "circle":
        radius = math.hypot(flat[0] - flat[2], flat[1] - flat[3])
        return Shape("disc", flat[:2], *told, radius)
    if kind in ("point", "points"):
        return Shape("points", flat, *told, pens.point_radius)
    if kind in ("line", "linestrip"):
        rounded = kind == "linestrip" and version >= ROUNDED_JOINTS
        return Shape("line", flat, *told, width=pens.line_width, rounded=rounded)
    if kind == "rectangle" and not _is_turned(flat):
        return Shape("rectangle", flat, *told)
    return Shape("polygon", _hull(flat) if kind == "cuboid" else flat, *told)


def _is_turned(flat: tuple[float, ...]) -> bool:
    """Whether a rectangle of four points is not the box around them."""
    xs, ys = flat[::2], flat[1::2]
    corners = {(x, y) for x in (min(xs), max(xs)) for y in (min(ys), max(ys))}
    return len(xs) == 4 and set(zip(xs, ys, strict=True)) != corners


def _hull(flat: tuple[float, ...]) -> tuple[float, ...]:
    """The convex hull of flat points (A. M. Andrew, 1979); all points if they lie on a line."""
    points = sorted(set(zip(flat[::2], flat[1::2], strict=True)))

    def half(ordered: list[tuple[float, float]]) -> list[tuple[float, float]]:
        chain: list[tuple[float, float]] = []
        for x, y in ordered:
            while len(chain) > 1 and _turn(chain[-2], chain[-1], (x, y)) <= 0:
                chain.pop()
            chain.append((x, y))
        return chain[:-1]

    hull = half(points) + half(points[::-1])
    return tuple(value for point in hull for value in point) if len(hull) > 2 else flat


def _turn(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _instance(raw: Mapping[str, Any], label: str, number: int) -> object:
    """What tells instances apart: the group, or the shape itself where it has none."""
    group = raw.get("group_id")
    if not isinstance(group, int | str | float | None):
        reason = f"a number or text was expected, not {type(group).__name__}"
        raise ShapeError(f"shapes[{number}].group_id: {reason}", code="bad-annotation")
    return (label, number) if group is None else (label, "group", group)


def _stamp(
    raw: Mapping[str, Any],
    flat: tuple[float, ...],
    told: tuple[int, str, str, object],
    *,
    path: Path,
    limit: int,
    version: tuple[int, int],
) -> Shape:
    """A shape of type mask: an embedded PNG, placed with its first pixel at the first point; at
    most *limit* pixels.
    """
    address, encoded = f"{told[2]}.mask", raw.get("mask")
    if not isinstance(encoded, str):
        raise ShapeError(f"{address}: a base64 PNG was expected")
    try:
        data = decoded(path, encoded.encode(), "base64")
        bitmap = image.decode_mask(data, path, limit) > 0
    except SegprepError as error:
        reason = error.reason if isinstance(error, SourceError) else error.message
        raise ShapeError(f"{address}: {reason}") from error
    (left, top), bitmap = _placed(bitmap, flat, address, version)
    return Shape("stamp", (left, top), *told, bitmap=shapes.pack(bitmap))


def _placed(
    bitmap: "NDArray[np.bool_]", flat: tuple[float, ...], address: str, version: tuple[int, int]
) -> "tuple[tuple[int, int], NDArray[np.bool_]]":
    """Where the first pixel lies, (x, y), and what of *bitmap* (h, w) is painted."""
    left, top, right, bottom = map(int, flat)
    fits = bitmap.shape == (bottom - top + 1, right - left + 1)
    fractional = any(value != int(value) for value in flat)
    if fractional and (version >= ROUNDED_CORNERS or not fits):
        left, top, right, bottom = map(round, flat)
    height, width = bottom - top + 1, right - left + 1
    if bitmap.shape[0] < height - 1 or bitmap.shape[1] < width - 1 or min(height, width) < 1:
        size, box = f"{bitmap.shape[1]}x{bitmap.shape[0]}", f"{width}x{height}"
        raise ShapeError(f"{address}: the picture is {size}, its points span {box}")
    return (left, top), bitmap if fractional else bitmap[:height, :width]
