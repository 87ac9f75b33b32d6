"""How much of each class shapes painted later cover: right by the painting order, and often not
what was meant.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from segprep import kernel
from segprep.imaging.image import histogram
from segprep.imaging.raster import Canvas
from segprep.imaging.shapes import Painted, PaintOrder, Shape, draw, in_order
from segprep.types import IGNORE, Covered, Note

Box = tuple[float, float, float, float]  # x0, y0, x1, y1
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
    values = [-1 if shape.value in holes else shape.value for shape in shapes]
    overs = painted.over
    if overs is None:
        overs = _over_shapes(shapes, values, painted.mask)
    labels = {shape.value: shape.label for shape in shapes}
    notes = []
    for value, over in sorted(overs.items()):
        others = {other: count for other, count in over.items() if other not in holes}
        own = [number for number, other in enumerate(values) if other == value]
        if loss := _loss(painted, value, own, others, labels):
            notes.append(_note(loss))
    return notes


def _over_shapes(
    shapes: Sequence[Shape], values: Sequence[int], mask: NDArray[np.uint8]
) -> dict[int, dict[int, int]]:
    """What the kernel counts in ``painted.over`` where it paints all shapes together, of the
    *values* of *shapes* in painting order in *mask* (H, W); -1 stands for holes.
    """
    windows = _windows([_box(shape) for shape in shapes], values)
    holed = [number for number, value in enumerate(values) if value < 0]
    overs, canvas = dict[int, dict[int, int]](), Canvas(*mask.shape)
    for value in {values[number] for number in windows}:
        if holed:  # they are drawn again for each class
            canvas = Canvas(*mask.shape)
        mine = [number for number in windows if values[number] == value]
        for number in sorted([*mine, *holed]):
            draw(canvas, shapes[number], value + 1 if values[number] == value else 0)
        parts = [_part(windows[number], mask.shape) for number in mine]
        overs[value] = _over(canvas.array(), mask, value, parts)
    return overs


def _box(shape: Shape) -> Box:
    """The box that holds all pixels of *shape*."""
    reach = shape.radius + shape.width
    xs, ys = shape.points[::2], shape.points[1::2]
    right, down = (0, 0) if shape.bitmap is None else (shape.bitmap[1], len(shape.bitmap[0]))
    return min(xs) - reach, min(ys) - reach, max(xs) + reach + right, max(ys) + reach + down


def _windows(boxes: Sequence[Box], values: Sequence[int]) -> dict[int, Box]:
    """The numbers of shapes, *values* of 0 and more, whose box meets that of a later one of another
    value, and the box around all that they share.

    Of very many shapes, each is taken to meet another, in all of its box.
    """
    solid = [number for number, value in enumerate(values) if value >= 0]
    if len(solid) ** 2 > _MANY:
        return {number: boxes[number] for number in solid}
    own = np.array([values[number] for number in solid], np.int64)
    corners = np.array([boxes[number] for number in solid], np.float64).reshape(-1, 4)
    x0, y0, x1, y1 = corners.T
    meets = (x0[:, None] <= x1) & (y0[:, None] <= y1) & (own[:, None] != own)
    first, later = np.nonzero(meets & meets.T)
    first, later = first[first < later], later[first < later]
    begins = np.flatnonzero(np.diff(first, prepend=-1))
    if not len(begins):
        return {}
    low = np.minimum.reduceat(np.maximum(corners[first, :2], corners[later, :2]), begins)
    high = np.maximum.reduceat(np.minimum(corners[first, 2:], corners[later, 2:]), begins)
    shared = np.concatenate([low, high], axis=1).tolist()
    return {
        solid[number]: (x0, y0, x1, y1)
        for number, (x0, y0, x1, y1) in zip(first[begins].tolist(), shared, strict=True)
    }


def _part(box: Box, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """The rows and columns of an image of *shape* (H, W) that *box* reaches."""
    return _span(box[1], box[3], shape[0]), _span(box[0], box[2], shape[1])


def _span(first: float, last: float, length: int) -> slice:
    return slice(max(0, int(first) - 1), max(0, min(int(last) + 2, length)))


def _over(
    drawn: NDArray[np.uint8],
    mask: NDArray[np.uint8],
    value: int,
    parts: Iterable[tuple[slice, slice]],
) -> dict[int, int]:
    """How many of the pixels *drawn* (H, W) as *value* + 1 within one of the *parts* each other
    value has in *mask* (H, W). They are cleared.
    """
    if kernel.compiled is not None:
        counted: dict[int, int] = {}
        for part in parts:
            pairs = kernel.compiled.joint(drawn[part].flatten(), mask[part].flatten())
            drawn[part] = 0  # they overlap
            for ink, other, count in np.frombuffer(pairs, np.int64).reshape(3, -1).T.tolist():
                if ink == value + 1 and other != value:
                    counted[other] = counted.get(other, 0) + count
        return dict(sorted(counted.items()))
    taken = []
    for part in parts:
        top = mask[part]
        covered = drawn[part] == value + 1
        covered &= top != value
        taken.append(top[covered])
        drawn[part] = 0
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
    mine: Sequence[int],
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
    hidden = sum(number + 1 not in painted.shown for number in mine)
    by = labels.get(max(over, key=over.__getitem__), "")
    return Covered(labels[value], len(mine), hidden, pixels, covered, by)


def _note(loss: Covered) -> Note:
    share = loss.covered / loss.pixels
    reason = (
        f"{loss.label}: {loss.hidden} of {loss.shapes} shapes are wholly covered, {share:.0%} of"
        f" the area, most of it by {loss.by}"
    )
    return Note("class-covered", reason, covered=loss)
