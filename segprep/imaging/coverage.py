"""How much of each class shapes painted later cover: right by the painting order, and often not
what was meant.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segprep.imaging.image import histogram
from segprep.imaging.raster import Canvas
from segprep.imaging.shapes import Painted, PaintOrder, Shape, draw, in_order
from segprep.types import IGNORE, Covered, Note

LEAST = 0.01  # share of a class's area in one image that is worth a note
_FEW = 8  # values that are faster counted one by one than together
_MANY = 1_000_000  # pairs of shapes whose boxes are not compared any more


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
    holed = [number for number, shape in enumerate(shapes) if shape.value in holes]
    values[holed] = -1
    below, joint = _meetings(boxes, values)
    labels = {shape.value: shape.label for shape in shapes}
    notes, canvas = [], Canvas(*painted.mask.shape)
    for value in sorted(set(values[below].tolist())):
        if holed:  # they are drawn again for each class
            canvas = Canvas(*painted.mask.shape)
        mine = sorted(set(below[values[below] == value].tolist()))
        for number in sorted([*mine, *holed]):
            draw(canvas, shapes[number], value + 1 if values[number] == value else 0)
        windows = (_window(joint[below == number], painted.mask.shape) for number in mine)
        over = _over(canvas.array(), painted.mask, value, windows)
        over = {other: count for other, count in over.items() if other not in holes}
        if loss := _loss(painted, value, np.flatnonzero(values == value), over, labels):
            notes.append(_note(loss))
    return notes


def _box(shape: Shape) -> tuple[float, float, float, float]:
    """The box (x0, y0, x1, y1) that holds all pixels of *shape*."""
    reach = shape.radius + shape.width
    xs, ys = shape.points[::2], shape.points[1::2]
    right, down = (0, 0) if shape.bitmap is None else (shape.bitmap[1], len(shape.bitmap[0]))
    return min(xs) - reach, min(ys) - reach, max(xs) + reach + right, max(ys) + reach + down


def _meetings(
    boxes: NDArray[np.float64], values: NDArray[np.int64]
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """The numbers of shapes, *values* of 0 and more, whose box meets that of a later one of another
    value, and the box (x0, y0, x1, y1) that both share: one row for each such pair.

    Of very many shapes, each is taken to meet another, in all of its box.
    """
    solid = np.flatnonzero(values >= 0)
    if len(solid) ** 2 > _MANY:
        return solid, boxes[solid]
    x0, y0, x1, y1 = boxes[solid].T
    mine = values[solid]
    meets = (x0[:, None] <= x1) & (y0[:, None] <= y1) & (mine[:, None] != mine)
    first, later = np.nonzero(np.triu(meets & meets.T))
    lower, upper = boxes[solid[first]], boxes[solid[later]]
    corners = np.maximum(lower[:, :2], upper[:, :2]), np.minimum(lower[:, 2:], upper[:, 2:])
    return solid[first], np.concatenate(corners, axis=1)


def _window(boxes: NDArray[np.float64], shape: tuple[int, ...]) -> tuple[slice, slice]:
    """The rows and columns of an image of *shape* (H, W) that *boxes* reach."""
    left, top = boxes[:, :2].min(axis=0).tolist()
    right, bottom = boxes[:, 2:].max(axis=0).tolist()
    return _span(top, bottom, shape[0]), _span(left, right, shape[1])


def _span(first: float, last: float, length: int) -> slice:
    return slice(max(0, int(first) - 1), max(0, min(int(last) + 2, length)))


def _over(
    drawn: NDArray[Any],
    mask: NDArray[np.uint8],
    value: int,
    windows: Iterable[tuple[slice, slice]],
) -> dict[int, int]:
    """How many of the pixels *drawn* (H, W) as *value* + 1 within one of the *windows* each other
    value has in *mask* (H, W). They are cleared.
    """
    taken = []
    for window in windows:
        part = mask[window]
        covered = drawn[window] == value + 1
        covered &= part != value
        taken.append(part[covered])
        drawn[window] = 0  # windows overlap
    return _counts(np.concatenate(taken))


def _counts(pixels: NDArray[np.uint8]) -> dict[int, int]:
    """What :func:`image.histogram` gives, by taking out one value after the other: a class is
    covered by few others.
    """
    counts = dict[int, int]()
    while pixels.size and len(counts) < _FEW:
        rest = pixels[pixels != pixels[0]]
        counts[int(pixels[0])] = pixels.size - rest.size
        pixels = rest
    return dict(sorted((counts | histogram(pixels)).items()))


def _loss(
    painted: Painted,
    value: int,
    mine: NDArray[np.intp],
    over: Mapping[int, int],
    labels: Mapping[int, str],
) -> Covered | None:
    """What the class *value* of the shapes *mine* loses to others, of its pixels with no other
    class painted; *over* says to which values. None where that is too little for a note.
    """
    covered = sum(over.values())
    pixels = covered + painted.pixels.get(value, 0)
    if covered <= 0 or covered < LEAST * pixels:
        return None
    hidden = sum(int(number) + 1 not in painted.shown for number in mine)
    by = labels.get(max(over, key=over.__getitem__), "")
    return Covered(labels[value], len(mine), hidden, pixels, covered, by)


def _note(loss: Covered) -> Note:
    share = loss.covered / loss.pixels
    reason = (
        f"{loss.label}: {loss.hidden} of {loss.shapes} shapes are wholly covered, {share:.0%} of"
        f" the area, most of it by {loss.by}"
    )
    return Note("class-covered", reason, covered=loss)
