"""Labeled shapes of one image -> class mask and instance mask, under an overlap policy, with notes
on shapes that got hidden.

This is the one place that makes shapes: a :class:`Shape` whose numbers are not finite, absurd or
too few, or whose class id does not fit a mask, raises ShapeError whatever format it comes from.

All shapes are drawn into one buffer as their number in painting order; a table then turns numbers
into class ids and instance ids, which equals painting each shape's class in turn. The kernel paints
polygons row by row, and class ids at once where nobody asks for instances.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from segprep.errors import ShapeError, SourceError
from segprep.imaging.coordinates import FARTHEST, flat_coordinates
from segprep.imaging.image import look_up, replaced
from segprep.imaging.raster import Canvas, TooComplexError, painted
from segprep.names import shown
from segprep.types import IGNORE, OBJECT_IGNORE, Note

Kind = Literal["polygon", "rectangle", "disc", "line", "points", "stamp"]
_LEAST = {"polygon": 3, "rectangle": 2, "disc": 1, "line": 2, "points": 1, "stamp": 1}


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """One drawable shape with its meaning.

    *points* are flat x0, y0, x1, y1, …; *radius* is of discs and points, *width* of lines, whose
    joints may be *rounded*; *bitmap* (h, w), packed by :func:`pack`, belongs to a stamp, whose only
    point is its top left pixel.
    *value* is the class id painted, 0 to 255; *key* tells instances apart (None: no instance);
    *address* names the shape in messages. Coordinates are finite and at most FARTHEST pixels from
    the origin, or ShapeError is raised.
    """

    kind: Kind
    points: tuple[float, ...]
    value: int
    label: str
    address: str
    key: object = None
    radius: float = 0.0
    width: int = 1
    bitmap: "tuple[NDArray[np.uint8], int] | None" = None
    rounded: bool = False

    def __post_init__(self) -> None:
        flat_coordinates(self.points, self.address, self.kind, least=_LEAST[self.kind])
        if not (0 <= self.radius <= 4 * FARTHEST and 0 <= self.width <= 4 * FARTHEST):
            extents = shown((self.radius, self.width))
            raise ShapeError(f"{self.address}: radius or width is {extents} pixels")
        if type(self.value) is not int or not 0 <= self.value <= IGNORE:
            raise ShapeError(f"{self.address}: class id {shown(self.value)} is not 0 to {IGNORE}")
        if (self.kind == "stamp") != (self.bitmap is not None):
            raise ShapeError(f"{self.address}: a stamp needs a bitmap, other shapes have none")


def pack(bitmap: "NDArray[np.bool_]") -> "tuple[NDArray[np.uint8], int]":
    """*bitmap* (h, w) with eight pixels to a byte, and its width: an annotation may hold hundreds
    of them.
    """
    return np.packbits(bitmap, axis=1), bitmap.shape[1]


def unpack(packed: "tuple[NDArray[np.uint8], int]") -> "NDArray[np.bool_]":
    """The bitmap (h, w) of :func:`pack`."""
    return np.unpackbits(packed[0], axis=1, count=packed[1]).view(np.bool_)


class OverlapError(ValueError):
    """Two shapes that mean different things cover the same pixels."""


class TooManyError(ValueError):
    """More instances than an instance mask can number."""


def draw(canvas: Canvas, shape: Shape, value: int) -> None:
    """Draw *shape* as *value*."""
    points = shape.points
    if shape.kind == "polygon":
        canvas.polygon(points, value)
    elif shape.kind == "rectangle":
        canvas.rectangle(
            min(points[::2]), min(points[1::2]), max(points[::2]), max(points[1::2]), value
        )
    elif shape.kind == "disc":
        canvas.disc(points[0], points[1], shape.radius, value)
    elif shape.kind == "line":
        canvas.line(points, shape.width, value, rounded=shape.rounded)
    elif shape.kind == "points":
        for at in range(0, len(points), 2):
            canvas.disc(points[at], points[at + 1], shape.radius, value)
    elif shape.bitmap is not None:
        canvas.stamp(unpack(shape.bitmap), int(points[0]), int(points[1]), value)


def fill(
    rings: Sequence[tuple[Sequence[float], bool]], height: int, width: int, address: str
) -> "NDArray[np.bool_]":
    """(H, W): each ring of flat points in turn filled (True) or cleared (False), border included.

    Raises ShapeError.
    """
    canvas = Canvas(height, width)
    for points, filled in rings:
        canvas.polygon(flat_coordinates(points, address, "polygon", least=3), int(filled))
    return canvas.array().astype(bool)


def area(shape: Shape) -> float:
    """The area a shape encloses, in pixels: what ``--overlap area`` orders by."""
    xs, ys = shape.points[::2], shape.points[1::2]
    if shape.kind == "polygon":
        return abs(sum(xs[n - 1] * ys[n] - xs[n] * ys[n - 1] for n in range(len(xs)))) / 2
    if shape.kind == "rectangle":
        return (max(xs) - min(xs)) * (max(ys) - min(ys))
    if shape.kind == "line":
        return shape.width * sum(
            math.dist((xs[n - 1], ys[n - 1]), (xs[n], ys[n])) for n in range(1, len(xs))
        )
    if shape.bitmap is not None:
        return float(np.count_nonzero(unpack(shape.bitmap)))
    return math.pi * shape.radius**2 * len(xs)


def degenerate(shape: Shape) -> bool:
    """Whether all points of an area lie on one line, or a disc has no radius."""
    if shape.kind == "disc":
        return shape.radius == 0
    x, y, *rest = shape.points
    if shape.kind == "rectangle":
        xs, ys = shape.points[::2], shape.points[1::2]
        return min(xs) == max(xs) or min(ys) == max(ys)
    if (rest[0] - x) * (rest[3] - y) != (rest[1] - y) * (rest[2] - x):
        return False  # as nearly always
    steps = ((u - x, v - y) for u, v in zip(rest[::2], rest[1::2], strict=True) if (u, v) != (x, y))
    right, down = next(steps, (0, 0))
    return not any(right * dy - down * dx for dx, dy in steps)


def in_order(shapes: Sequence[Shape], overlap: str, priority: Sequence[str] = ()) -> list[Shape]:
    """*shapes* in painting order, last on top; ties keep the file's order."""
    if overlap == "area":
        return sorted(shapes, key=area, reverse=True)
    if overlap == "priority":
        rank = {label: number for number, label in reversed(list(enumerate(priority)))}
        return sorted(shapes, key=lambda shape: rank.get(shape.label, len(priority)), reverse=True)
    return list(shapes)


@dataclass(frozen=True, slots=True, eq=False)
class Painted:
    """The class *mask* (H, W), the instance mask if asked for, pixel counts by class value, *notes*
    on shapes that show no pixel, and the pixels *shown* of the others by their number, from 1.
    *over*: value -> the values of shapes over it -> pixels; None where nobody counted.
    """

    mask: "NDArray[np.uint8]"
    objects: "NDArray[np.uint16] | None"
    pixels: dict[int, int]
    notes: list[Note]
    shown: Mapping[int, int] = field(default_factory=dict)
    over: Mapping[int, Mapping[int, int]] | None = None


def paint(
    shapes: Sequence[Shape], height: int, width: int, *, background: int = 0, objects: bool = False
) -> Painted:
    """Paint *shapes* (already in painting order).

    Instances are numbered from 1 in the order given; shapes painted as background or ignore are
    none. Raises raster.TooComplexError, and TooManyError for more than 65,534 instances.
    """
    values = bytes([background, *(shape.value for shape in shapes)])
    outlines = [shape.points for shape in shapes if shape.kind == "polygon"]
    alone = len(outlines) == len(shapes)
    layers = painted(outlines, values, height, width, numbered=objects) if alone else None
    if layers is None:
        canvas, over = Canvas(height, width, len(shapes)), None
        for number, shape in enumerate(shapes, 1):
            draw(canvas, shape, number)
        drawn = canvas.array()
        mask, seen = look_up(drawn, values)
    else:
        drawn, seen, over = layers
        mask = look_up(drawn, values)[0] if objects else drawn
    pixels: dict[int, int] = {}
    for number, count in seen.items():
        pixels[values[number]] = pixels.get(values[number], 0) + count
    unseen = [shape for number, shape in enumerate(shapes, 1) if number not in seen]
    notes = [_lost(shape, height, width) for shape in unseen]
    instances = _instances(drawn, shapes, background) if objects else None
    return Painted(mask, instances, dict(sorted(pixels.items())), notes, seen, over)


@dataclass(frozen=True, slots=True)
class PaintOrder:
    """The policy where shapes overlap: see --overlap and --priority."""

    overlap: str = "order"
    priority: tuple[str, ...] = ()


def paint_file(
    shapes: Sequence[Shape],
    size: tuple[int, int],
    *,
    path: Path,
    address: str,
    order: PaintOrder = PaintOrder(),
    under: Sequence[Shape] = (),
    background: int = 0,
    objects: bool = False,
) -> Painted:
    """Paint the *shapes* of the annotation file *path* on *size* (H, W): *under* lies below all
    others. Raises SourceError; *address* is where the file lists its shapes.
    """
    try:
        ordered = in_order(shapes, order.overlap, order.priority)
        if order.overlap == "error":
            refuse_overlap(ordered, *size)
        return paint([*under, *ordered], *size, background=background, objects=objects)
    except TooComplexError as error:
        hint = "simplify or delete it"
        raise SourceError(path, f"{address}: {error}", hint, "shape-too-complex") from error
    except OverlapError as error:
        hint = "separate them, or give another --overlap"
        raise SourceError(path, str(error), hint, "overlap") from error
    except TooManyError as error:
        raise SourceError(path, str(error), "split the image", "too-many-objects") from error


def _instances(drawn: NDArray[Any], shapes: Sequence[Shape], background: int) -> NDArray[np.uint16]:
    numbers: dict[object, int] = {}
    table = [0]
    for shape in shapes:
        if shape.value == IGNORE:
            table.append(OBJECT_IGNORE)
        elif shape.value == background or shape.key is None:
            table.append(0)
        else:
            table.append(numbers.setdefault(shape.key, len(numbers) + 1))
    if len(numbers) >= OBJECT_IGNORE:
        raise TooManyError(f"{len(numbers)} instances; 65534 are possible")
    return replaced(drawn, np.array(table, np.uint16))


def _lost(shape: Shape, height: int, width: int) -> Note:
    reach = shape.radius + shape.width
    xs, ys = shape.points[::2], shape.points[1::2]
    extent = (0, 0) if shape.bitmap is None else (shape.bitmap[1], len(shape.bitmap[0]))
    outside = (
        min(xs) - reach >= width
        or min(ys) - reach >= height
        or max(xs) + reach + extent[0] < 0
        or max(ys) + reach + extent[1] < 0
    )
    if outside:
        return Note(
            "shape-outside",
            f"{shape.address} ({shape.label}) lies outside the {width}x{height} image",
        )
    return Note(
        "hidden-shape",
        f"{shape.address} ({shape.label}) is completely covered by later shapes, or paints"
        " no pixel",
    )


def refuse_overlap(shapes: Sequence[Shape], height: int, width: int) -> None:
    """Raise OverlapError at the first two shapes of different class or instance that overlap."""
    owner = np.zeros((height, width), np.int32)
    for number, shape in enumerate(shapes, 1):
        canvas = Canvas(height, width)
        draw(canvas, shape, 1)
        covered = canvas.array() > 0
        for other in np.unique(owner[covered]):
            if other and (shapes[other - 1].value, shapes[other - 1].key) != (
                shape.value,
                shape.key,
            ):
                first = shapes[other - 1]
                shared = int(np.count_nonzero(owner[covered] == other))
                raise OverlapError(
                    f"{first.address} ({first.label}) and {shape.address} ({shape.label}) share"
                    f" {shared} pixels"
                )
        owner[covered] = number
