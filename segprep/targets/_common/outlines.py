"""How many pixels a simplified outline gives to the wrong side."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Annotated

import numpy as np

from segprep.errors import UsageError
from segprep.imaging import raster
from segprep.imaging.center_fill import center_fill
from segprep.imaging.contours import Points
from segprep.targets._common.objects import Thing
from segprep.writer import Loss

WHAT = "pixels of objects lie on the other side of their outlines"
CLOSER = "are outlined closer than --tolerance says, which would have cost more than --max-loss"
_FINEST = 0.25  # pixels: what would need less is drawn exactly

MaxLoss = Annotated[
    float,
    "The most that --tolerance may cost, as a share of a shape's pixels (labelme: of a class's in"
    " an image); outlines that would cost more are kept closer. 1 = no limit.",
]
MAX_LOSS = 0.05
Costs = tuple[Loss, Loss]  # pixels beside outlines; shapes whose outlines run closer


def check(tolerance: float, max_loss: float) -> None:
    """Raise UsageError for a *tolerance* below 0, or a *max_loss* that is not a share."""
    if not 0 <= tolerance < 1000:
        raise UsageError("bad-option", f"--tolerance {tolerance}", "give pixels, 0 or more")
    if not 0 <= max_loss <= 1:
        raise UsageError("bad-option", f"--max-loss {max_loss}", "give a share from 0 to 1")


def tolerances(tolerance: float) -> Iterator[float]:
    """*tolerance*, its half, a quarter …, and 0, to try in turn."""
    while tolerance >= _FINEST:
        yield tolerance
        tolerance /= 2
    yield 0.0


def bounded(
    thing: Thing,
    drawn: Callable[[float], list[Points]],
    beside: Callable[[Thing, Sequence[Points]], Loss],
    tolerance: float,
    max_loss: float,
) -> tuple[list[Points], Costs]:
    """The outlines of *thing* that *drawn* gives for *tolerance*, or for less, so that the pixels
    *beside* them are at most *max_loss* of its own; these pixels, and whether it was less.
    """
    for step in tolerances(tolerance):
        rings = drawn(step)
        loss = beside(thing, rings)
        if loss.count <= max_loss * thing.area:
            break
    return rings, (loss, Loss(f"shapes {CLOSER}", int(step < tolerance)))


def summed(costs: Iterable[Costs]) -> Costs:
    """What all outlines of one sample cost."""
    beside, closer = tuple(zip(*costs, strict=True)) or ((), ())
    return (
        Loss(WHAT, sum(loss.count for loss in beside)),
        Loss(f"shapes {CLOSER}", sum(loss.count for loss in closer)),
    )


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
