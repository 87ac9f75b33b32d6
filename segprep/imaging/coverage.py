"""How much of each class shapes painted later cover: right by the painting order, and often not
what was meant.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from segprep.imaging.raster import Canvas
from segprep.imaging.shapes import Painted, PaintOrder, Shape, draw, in_order
from segprep.types import IGNORE, Covered, Note

LEAST = 0.01  # share of a class's area in one image that is worth a note
_MANY = 200_000  # pairs of shapes whose boxes are not compared any more


def covered_classes(
    listed: Sequence[Shape],
    painted: Painted,
    order: PaintOrder,
    *,
    background: int,
    under: Sequence[Shape] = (),
) -> list[Note]:
    """A note with its :class:`types.Covered` for every class that other classes cover in part.

    *listed*, *order* and *under* are what :func:`shapes.paint_file` was given for *painted*. Shapes
    of the background and ignored ones cut holes on purpose: what they take is not counted.
    """
    if len(listed) + len(under) < 2:
        return []
    shapes = [*under, *in_order(listed, order.overlap, order.priority)]
    holes = {background, IGNORE}
    boxes = np.array([_box(shape) for shape in shapes], np.float64).reshape(-1, 4)
    values = np.array([shape.value for shape in shapes], np.int64)
    solid = ~np.isin(values, list(holes))
    holed = np.flatnonzero(~solid).tolist()
    labels = {shape.value: shape.label for shape in shapes}
    notes = []
    for value in sorted({shape.value for shape in shapes} - holes):
        mine = np.flatnonzero(values == value)
        below = mine[_may_be_covered(boxes, mine, np.flatnonzero(solid & (values != value)))]
        if len(below):
            rows = _rows(boxes[below], len(painted.mask))
            drawn = [shapes[n] for n in sorted([*below.tolist(), *holed])]
            over = _over(drawn, painted, value, rows)
            over[[value, *holes]] = 0
            if loss := _loss(painted, value, mine, over, labels):
                notes.append(_note(loss))
    return notes


def _box(shape: Shape) -> tuple[float, float, float, float]:
    """The box (x0, y0, x1, y1) that holds all pixels of *shape*."""
    reach = shape.radius + shape.width
    xs, ys = shape.points[::2], shape.points[1::2]
    right, down = (0, 0) if shape.bitmap is None else (shape.bitmap[1], len(shape.bitmap[0]))
    return min(xs) - reach, min(ys) - reach, max(xs) + reach + right, max(ys) + reach + down


def _rows(boxes: NDArray[np.float64], height: int) -> slice:
    """The rows of an image of *height* that *boxes* reach."""
    top, bottom = np.clip((boxes[:, 1].min() - 1, boxes[:, 3].max() + 2), 0, height)
    return slice(int(top), int(bottom))


def _may_be_covered(
    boxes: NDArray[np.float64], mine: NDArray[np.intp], others: NDArray[np.intp]
) -> NDArray[np.bool_]:
    """For each of *mine*, whether the box of one of *others* that comes later meets its box."""
    if len(mine) * len(others) > _MANY:
        return np.ones(len(mine), np.bool_)
    a, b = boxes[mine].T[..., None], boxes[others].T[:, None]
    meets = (a[0] <= b[2]) & (a[1] <= b[3]) & (b[0] <= a[2]) & (b[1] <= a[3])
    return np.asarray((meets & (others[None] > mine[:, None])).any(axis=1))


def _over(shapes: Sequence[Shape], painted: Painted, value: int, rows: slice) -> NDArray[np.intp]:
    """How many of the pixels that *shapes*, of class *value* and holes, would paint within *rows*
    each other value has: a histogram of 256.
    """
    canvas = Canvas(*painted.mask.shape)
    for shape in shapes:
        draw(canvas, shape, int(shape.value == value))
    mask = painted.mask[rows].reshape(-1)
    lost = canvas.array()[rows].reshape(-1).view(np.bool_) & (mask != value)
    return np.bincount(mask[np.flatnonzero(lost)], minlength=IGNORE + 1)


def _loss(
    painted: Painted,
    value: int,
    mine: NDArray[np.intp],
    over: NDArray[np.intp],
    labels: Mapping[int, str],
) -> Covered | None:
    """What the class *value* of the shapes *mine* loses to others, of its pixels with no other
    class painted; *over* says to which values. None where that is too little for a note.
    """
    covered = int(over.sum())
    pixels = covered + painted.pixels.get(value, 0)
    if covered <= 0 or covered < LEAST * pixels:
        return None
    hidden = sum(int(number) + 1 not in painted.shown for number in mine)
    most = int(over.argmax())
    by = labels.get(most, "") if over[most] else ""
    return Covered(labels[value], len(mine), hidden, pixels, covered, by)


def _note(loss: Covered) -> Note:
    share = loss.covered / loss.pixels
    reason = (
        f"{loss.label}: {loss.hidden} of {loss.shapes} shapes are wholly covered, {share:.0%} of"
        f" the area, most of it by {loss.by}"
    )
    return Note("class-covered", reason, covered=loss)
