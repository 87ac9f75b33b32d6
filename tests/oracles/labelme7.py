"""How labelme 7.1 paints shapes, written again from its behavior with NumPy and Pillow alone, so
that it can be asked without installing labelme. It shares no code with segprep or labelme.

    cls, ins = labels((height, width), shapes, {"cat": 1})

Every shape is drawn on a mask of its own and laid over the earlier ones. labelme 7.0 began to round
the joints of linestrips; 7.1 rounds the fractional corners of mask shapes and cuts masks at the
image's edge and at their own box.
"""

import base64
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

LINE_WIDTH, POINT_RADIUS = 10, 5
Size = tuple[int, int]  # height, width


def labels(
    size: Size, shapes: Sequence[Mapping[str, Any]], values: Mapping[str, int]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Class values and instance numbers (H, W) of *shapes* as they stand in a labelme file."""
    cls, ins = np.zeros(size, np.int32), np.zeros(size, np.int32)
    numbers: dict[Any, int] = {}
    for position, shape in enumerate(shapes):
        group = shape.get("group_id")
        thing = shape["label"], ("alone", position) if group is None else ("group", group)
        number = numbers.setdefault(thing, len(numbers) + 1)
        covered = stamp(size, shape) if shape.get("shape_type") == "mask" else outline(size, shape)
        cls[covered] = values[shape["label"]]
        ins[covered] = number
    return cls, ins


def outline(size: Size, shape: Mapping[str, Any]) -> NDArray[np.bool_]:
    """The pixels of a shape that is given by points."""
    canvas = Image.new("L", (size[1], size[0]))
    pen = ImageDraw.Draw(canvas)
    points = [(x, y) for x, y in shape["points"]]
    kind = shape.get("shape_type") or "polygon"
    if kind == "circle":
        _disc(pen, points[0], math.dist(*points))
    elif kind == "point":
        _disc(pen, points[0], POINT_RADIUS)
    elif kind == "rectangle":
        xs, ys = zip(*points, strict=True)
        pen.rectangle([min(xs), min(ys), max(xs), max(ys)], fill=1, outline=1)
    elif kind in ("line", "linestrip"):
        pen.line(points, 1, LINE_WIDTH, "curve" if kind == "linestrip" else None)
    else:
        pen.polygon(points, fill=1, outline=1)
    return np.asarray(canvas) > 0


def _disc(pen: ImageDraw.ImageDraw, center: tuple[float, float], radius: float) -> None:
    x, y = center
    pen.ellipse([x - radius, y - radius, x + radius, y + radius], fill=1, outline=1)


def stamp(size: Size, shape: Mapping[str, Any]) -> NDArray[np.bool_]:
    """The pixels of a mask shape: its bitmap, laid at its first corner."""
    with Image.open(io.BytesIO(base64.b64decode(shape["mask"]))) as picture:
        bitmap = np.asarray(picture) > 0
    corners = np.array(shape["points"], float)
    (left, top), (right, bottom) = corners.round().astype(int).tolist()
    if (corners == np.trunc(corners)).all():
        bitmap = bitmap[: bottom - top + 1, : right - left + 1]
    covered = np.zeros(size, np.bool_)
    rows, columns = np.nonzero(bitmap)
    rows, columns = rows + top, columns + left
    inside = (rows >= 0) & (rows < size[0]) & (columns >= 0) & (columns < size[1])
    covered[rows[inside], columns[inside]] = True
    return covered
