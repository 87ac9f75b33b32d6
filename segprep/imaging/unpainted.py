"""How large are the shapes that an option keeps from being painted as their class?"""

from collections.abc import Sequence

import numpy as np

from segprep.imaging.raster import Canvas, TooComplexError
from segprep.imaging.shapes import Shape, draw, pack
from segprep.types import Outcome, Unpainted


def count_unpainted(
    shapes: Sequence[tuple[Shape, Outcome]], size: tuple[int, int]
) -> tuple[Unpainted, ...]:
    """Shapes and pixels on *size* (H, W) per label and outcome; pixels that two shapes of a label
    share count once.

    A label whose shapes would take unreasonably long to draw counts 0 pixels.
    """
    groups: dict[tuple[str, Outcome], list[Shape]] = {}
    for shape, outcome in shapes:
        groups.setdefault((shape.label, outcome), []).append(shape)
    return tuple(
        Unpainted(label, len(group), _pixels(group, size), outcome)
        for (label, outcome), group in sorted(groups.items())
    )


def nothing(label: str, address: str) -> Shape:
    """A shape of *label* without a pixel: it counts, though it cannot be drawn."""
    bitmap = pack(np.zeros((1, 1), np.bool_))
    return Shape("stamp", (0, 0), 0, label, address, bitmap=bitmap)


def _pixels(shapes: Sequence[Shape], size: tuple[int, int]) -> int:
    canvas = Canvas(*size)
    try:
        for shape in shapes:
            draw(canvas, shape, 1)
    except TooComplexError:
        return 0
    return int((canvas.array() > 0).sum())
