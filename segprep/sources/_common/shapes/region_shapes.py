"""Annotated regions, whatever tool wrote them, to shapes that can be painted."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from segprep.imaging import boxes
from segprep.imaging.coordinates import flat_coordinates
from segprep.imaging.shapes import Shape, fill, pack
from segprep.sources._common.classes.labels import LabelMeaning

Ring = tuple[float, ...]  # flat x0, y0, x1, y1, …
Attributes = tuple[tuple[str, str], ...]  # name and value; a name may occur several times
Kind = Literal["polygon", "box", "ellipse", "mask", "line", "points"]
Boxes = Annotated[
    Literal["error", "fill", "skip"],
    "Boxes without an outline: error = refuse the image, fill = paint the box, skip = do not paint"
    " it (the number is reported).",
]
ELLIPSE_POINTS = 180


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """One annotated thing of an image.

    *rings* of a polygon: outlines and holes, by which lies within which; of a box: its two corners
    (or four, if it is rotated); of an ellipse: center, radii and angle in degrees. *bits* (h, w) of
    a mask have their first pixel at *corner* (x, y). *address* names it in its file; regions of one
    *group* are one instance. *fault* is why it has no label; *sheet* the (H, W) that the image of a
    mask has, where that is known.
    """

    label: str
    address: str
    kind: Kind = "polygon"
    rings: tuple[Ring, ...] = ()
    bits: tuple[NDArray[np.uint8], int] | None = None
    corner: tuple[int, int] = (0, 0)
    group: object = None
    attributes: Attributes = ()
    fault: str = ""
    sheet: tuple[int, int] | None = None


def whole_mask(label: str, address: str, bits: NDArray[np.bool_], group: object = None) -> Region:
    """A region of the pixels where *bits* (H, W), as large as the image, is true."""
    height, width = bits.shape
    return replace(mask_region(label, address, bits, (0, 0), group), sheet=(height, width))


def mask_region(
    label: str,
    address: str,
    bits: NDArray[np.bool_],
    corner: tuple[int, int] = (0, 0),
    group: object = None,
) -> Region:
    """A region of the pixels where *bits* (h, w) is true, without its empty margin."""
    box = boxes.lit(bits)
    if box is not None:
        bits, corner = bits[box], (corner[0] + box[1].start, corner[1] + box[0].start)
    return Region(label, address, "mask", (), pack(bits), corner, group)


def scaled(region: Region, width: float, height: float) -> Region:
    """*region* with x times *width* and y times *height*: relative coordinates to pixels."""
    rings = tuple(
        tuple(value * (height if n % 2 else width) for n, value in enumerate(ring))
        for ring in region.rings
    )
    return replace(region, rings=rings)


def to_shape(region: Region, meaning: LabelMeaning, number: int, size: tuple[int, int]) -> Shape:
    """*region*, number *number* of its image of *size* (H, W), to be painted as *meaning* says.

    Polygons of several rings become bitmaps: outlines filled, then holes cleared, both with their
    border pixels (the rule of Pillow's ``ImageDraw.polygon``). Raises ShapeError.
    """
    for ring in region.rings:
        least = {"polygon": 3, "box": 2}.get(region.kind)
        if least:
            flat_coordinates(ring, region.address, region.kind, least=least)
    value, label, address = meaning.value, meaning.label, region.address
    key = (label, number) if region.group is None else (label, "group", region.group)
    if region.kind == "mask" and region.bits is not None:
        return Shape("stamp", region.corner, value, label, address, key, bitmap=region.bits)
    if region.kind == "ellipse" and region.rings[0][2] == region.rings[0][3]:
        x, y, radius = region.rings[0][:3]
        return Shape("disc", (x, y), value, label, address, key, radius=radius)
    if region.kind == "ellipse":
        return Shape("polygon", ellipse(*region.rings[0]), value, label, address, key)
    if region.kind == "box" and len(region.rings[0]) == 4:
        return Shape("rectangle", region.rings[0], value, label, address, key)
    if len(region.rings) == 1:
        return Shape("polygon", region.rings[0], value, label, address, key)
    corner, bits = with_holes(region.rings, size, address)
    return Shape("stamp", corner, value, label, address, key, bitmap=pack(bits))


def with_holes(
    rings: Sequence[Ring], size: tuple[int, int], address: str
) -> tuple[tuple[int, int], NDArray[np.bool_]]:
    """The first pixel (x, y) and the bitmap (h, w) of rings of which one within another is a hole,
    and one within that a part again; cut to an image of *size* (H, W). Raises ShapeError.
    """
    xs = [value for ring in rings for value in ring[::2]]
    ys = [value for ring in rings for value in ring[1::2]]
    left, top = _whole(min(xs), size[1]), _whole(min(ys), size[0])
    right, bottom = _whole(max(xs), size[1]) + 2, _whole(max(ys), size[0]) + 2
    depths = [sum(_inside(ring, other) for other in rings if other is not ring) for ring in rings]
    parts = []
    for depth, ring in sorted(zip(depths, rings, strict=True), key=lambda pair: pair[0]):
        moved = [value - (top if n % 2 else left) for n, value in enumerate(ring)]
        parts.append((moved, depth % 2 == 0))
    height, width = max(1, min(bottom, size[0]) - top), max(1, min(right, size[1]) - left)
    return (left, top), fill(parts, height, width, address)


def _inside(ring: Ring, other: Ring) -> bool:
    """Whether most of up to 16 points of *ring* lie within *other* (even-odd)."""
    points = np.asarray(ring).reshape(-1, 2)
    points = points[:: max(1, len(points) // 16)]
    start = np.asarray(other).reshape(-1, 2)
    end = np.roll(start, -1, axis=0)
    x, y = points[:, :1], points[:, 1:]
    crosses = (start[:, 1] > y) != (end[:, 1] > y)
    slope = np.where(end[:, 1] == start[:, 1], 1.0, end[:, 1] - start[:, 1])
    at = start[:, 0] + (y - start[:, 1]) * (end[:, 0] - start[:, 0]) / slope
    within = np.count_nonzero(crosses & (x < at), axis=1) % 2
    return bool(within.mean() > 0.5)


def ellipse(x: float, y: float, rx: float, ry: float, degrees: float = 0.0) -> Ring:
    """An ellipse around (x, y) with the radii *rx*, *ry*, rotated clockwise, as a polygon."""
    turn = math.radians(degrees)
    points: list[float] = []
    for step in range(ELLIPSE_POINTS):
        angle = 2 * math.pi * step / ELLIPSE_POINTS
        across, down = rx * math.cos(angle), ry * math.sin(angle)
        points += (
            x + across * math.cos(turn) - down * math.sin(turn),
            y + across * math.sin(turn) + down * math.cos(turn),
        )
    return tuple(points)


def rotated_box(x: float, y: float, w: float, h: float, degrees: float) -> Ring:
    """The corners of a box at (x, y), rotated clockwise around that corner."""
    turn = math.radians(degrees)
    cos, sin = math.cos(turn), math.sin(turn)
    corners = ((0.0, 0.0), (w, 0.0), (w, h), (0.0, h))
    return tuple(
        value for dx, dy in corners for value in (x + dx * cos - dy * sin, y + dx * sin + dy * cos)
    )


def flat_points(points: Any) -> Ring | None:
    """Points as [[x, y], …], [{"x", "y"}, …] or flat [x0, y0, …]; None if they are anything else.

    Whether the numbers are finite and enough is the shapes' own guard.
    """
    if not isinstance(points, list | tuple):
        return None
    if all(type(value) in (int, float) for value in points):
        return tuple(map(float, points)) if len(points) % 2 == 0 else None
    flat: list[float] = []
    for point in points:
        pair = (point.get("x"), point.get("y")) if isinstance(point, dict) else point
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            return None
        if not all(type(value) in (int, float) for value in pair):
            return None
        flat += map(float, pair)
    return tuple(flat)


def _whole(value: float, most: int) -> int:
    return int(min(max(math.floor(value), 0), most))
