"""How many pixels a simplified outline gives to the wrong side."""

from collections.abc import Iterable, Sequence

import numpy as np

from segprep.imaging import raster
from segprep.imaging.center_fill import center_fill
from segprep.imaging.contours import Points
from segprep.targets._common.objects import Thing
from segprep.writer import Loss

WHAT = "pixels of objects lie on the other side of their outlines"


def lost(losses: Iterable[Loss]) -> Loss:
    """All *losses* of one sample as one."""
    return Loss(WHAT, sum(loss.count for loss in losses))


def beside_corners(thing: Thing, rings: Sequence[Points]) -> Loss:
    """The pixels of *thing* that differ where *rings* (y, x), along the pixels' edges, are filled:
    a pixel belongs to a ring whose inside has its center.
    """
    filled, (height, width) = np.zeros_like(thing.bits), thing.bits.shape
    for ring in rings:
        flat = (ring[:, ::-1] - (thing.left, thing.top)).astype(float).ravel().tolist()
        (left, top), inside = center_fill([flat], height, width, "outline")
        filled[top : top + inside.shape[0], left : left + inside.shape[1]] |= inside
    return Loss(WHAT, int(np.count_nonzero(filled != thing.bits)))


def beside_centers(thing: Thing, rings: Sequence[Points]) -> Loss:
    """The same where *rings*, through the centers of border pixels, are filled and drawn."""
    height, width = thing.bits.shape
    canvas = raster.Canvas(height, width)
    for ring in rings:
        canvas.polygon((ring[:, ::-1] - (thing.left, thing.top)).ravel().tolist(), 1)
    return Loss(WHAT, int(np.count_nonzero((canvas.array() > 0) != thing.bits)))
