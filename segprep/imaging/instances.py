"""A stack of instance masks -> one mask: union, borders, ids; with an account of everything that is
no clean object.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from segprep.imaging import boxes, lit_part
from segprep.imaging.lit_part import LitPart
from segprep.types import Note

MOST = 65_534


class Spot(NamedTuple):
    """The object pixels of one instance mask: *bits* (h, w) bool with its first pixel at (*top*,
    *left*); empty arrays hold no pixel. How many *pixels* are True, and of how many *pieces* the
    rows are made, between which there is False.
    """

    name: str
    top: int
    left: int
    bits: NDArray[np.bool_]
    pixels: int
    pieces: int


def spot_of(name: str, mask: NDArray[np.bool_], top: int = 0, left: int = 0) -> Spot:
    """*mask* (H, W) cut to its object, as a :class:`Spot`; *top*, *left* say where *mask* itself
    lies.
    """
    box = boxes.lit(mask)
    if box is None:
        return Spot(name, 0, 0, np.zeros((0, 0), np.bool_), 0, 0)
    bits = np.ascontiguousarray(mask[box])
    pixels, pieces = int(np.count_nonzero(bits)), lit_part.pieces_of(bits)
    return Spot(name, top + box[0].start, left + box[1].start, bits, pixels, pieces)


def spot_of_white(name: str, part: LitPart) -> Spot:
    """The white pixels of a *part* that has no others."""
    return Spot(name, part.top, part.left, part.white, part.lit, part.pieces)


def merge(spots: Sequence[Spot], height: int, width: int) -> tuple[NDArray[np.uint16], list[Note]]:
    """Instance ids (H, W): 1, 2, … in the order given, 0 none; and the notes of the account.

    Where instances overlap the smaller is on top (the earlier of equals). Empty, duplicate and
    wholly covered ones get no id, so that objects = instances - those listed. Overlaps and holes
    are counted and left as they are. Raises ValueError beyond 65,534 objects.
    """
    sizes = [spot.pixels for spot in spots]
    account: dict[str, list[str]] = {code: [] for code in ("empty", "duplicate", "covered")}
    first: dict[tuple[Any, ...], str] = {}
    alive = []
    places = [(spot.top, spot.left, spot.bits.shape, spot.pixels) for spot in spots]
    taken = Counter(places)
    for number, spot in enumerate(spots):
        key: tuple[Any, ...] = places[number]
        if taken[key] > 1:
            key = (*key, np.packbits(spot.bits).tobytes())
        if not sizes[number]:
            account["empty"].append(spot.name)
        elif (twin := first.setdefault(key, spot.name)) != spot.name:
            account["duplicate"].append(f"{spot.name} (as {twin})")
        else:
            alive.append(number)
    if len(alive) > MOST:
        raise ValueError(f"{len(alive)} objects; {MOST} are possible")
    drawn, shared = _draw(
        spots, sorted(alive, key=lambda number: (-sizes[number], -number)), height, width
    )
    seen = (
        np.bincount(drawn.reshape(-1), minlength=len(spots) + 1)
        if account["empty"] or account["duplicate"] or shared
        else None
    )
    table = np.arange(len(spots) + 1, dtype=np.uint16)
    if seen is not None:
        account["covered"] = [spots[number].name for number in alive if not seen[number + 1]]
        left = [number for number in alive if seen[number + 1]]
        table[:] = 0
        table[[number + 1 for number in left]] = range(1, len(left) + 1)
        drawn = table[drawn]
    return drawn, [
        *_notes(account),
        *_overlap(shared),
        *_holes([spots[number] for number in alive]),
    ]


def _draw(
    spots: Sequence[Spot], order: Iterable[int], height: int, width: int
) -> tuple[NDArray[np.uint16], int]:
    """Number + 1 of the topmost instance at each pixel, and how many pixels were painted over."""
    drawn, shared = np.zeros((height, width), np.uint16), np.zeros((height, width), np.bool_)
    crossed = False
    for number in order:
        spot = spots[number]
        window = (
            slice(spot.top, spot.top + spot.bits.shape[0]),
            slice(spot.left, spot.left + spot.bits.shape[1]),
        )
        under = drawn[window]
        if np.count_nonzero(under):
            both = (under > 0) & spot.bits
            shared[window] |= both
            crossed = crossed or bool(both.any())
        under[spot.bits] = number + 1
    return drawn, int(np.count_nonzero(shared)) if crossed else 0


def _notes(account: dict[str, list[str]]) -> list[Note]:
    why = {
        "empty": "have no pixel",
        "duplicate": "repeat another mask",
        "covered": "lie wholly under smaller ones",
    }
    return [
        Note(f"instance-{kind}", f"{len(names)} instance masks {why[kind]}: {', '.join(names)}")
        for kind, names in account.items()
        if names
    ]


def _overlap(pixels: int) -> list[Note]:
    return (
        [
            Note(
                "instance-overlap",
                f"{pixels} pixels belong to more than one instance; the smaller is on top",
            )
        ]
        if pixels
        else []
    )


def _holes(spots: Iterable[Spot]) -> list[Note]:
    """What instances enclose without covering it."""
    closed = [
        (spot.name, pixels)
        for spot in spots
        if spot.pieces > len(spot.bits)  # a row is interrupted, as in few objects
        and (pixels := enclosed(spot.bits))
    ]
    listed = ", ".join(f"{name} ({pixels} px)" for name, pixels in closed)
    return (
        [
            Note(
                "instance-hole",
                f"{len(closed)} instances enclose {sum(pixels for _, pixels in closed)} pixels that"
                f" they do not cover: {listed}",
            )
        ]
        if closed
        else []
    )


def enclosed(bits: NDArray[np.bool_]) -> int:
    """How many pixels of *bits* (h, w) are False and have no way out along rows and columns over
    others that are.
    """
    if lit_part.pieces_of(bits.T) <= bits.shape[1]:
        return 0  # no column is interrupted
    sides = (
        np.logical_or.accumulate(bits[::down, ::right], axis)[::down, ::right]
        for axis, down, right in ((0, 1, 1), (0, -1, 1), (1, 1, 1), (1, 1, -1))
    )
    inside = np.logical_and.reduce([~bits, *sides])  # the object lies on all four sides
    while inside.any():
        free = np.pad(~bits & ~inside, 1, constant_values=True)
        reached = inside & (free[:-2, 1:-1] | free[2:, 1:-1] | free[1:-1, :-2] | free[1:-1, 2:])
        if not reached.any():
            break
        inside &= ~reached
    return int(np.count_nonzero(inside))


def border(objects: NDArray[np.uint16], width: int) -> NDArray[np.bool_]:
    """Where (H, W) an object's pixel lies within *width* pixels (along rows, columns and diagonals)
    of a pixel that is not its own.
    """
    least, most = _window(objects, width, np.minimum), _window(objects, width, np.maximum)
    return np.asarray((objects > 0) & (least != most))


def touching(objects: NDArray[np.uint16], width: int) -> NDArray[np.bool_]:
    """Where (H, W) two different objects both lie within *width* pixels: the seam that keeps
    neighbors apart, gap included.
    """
    most = _window(objects, width, np.maximum)
    least = _window(np.where(objects == 0, 65_535, objects).astype(np.uint16), width, np.minimum)
    return np.asarray((most > 0) & (least < most))


def _window(array: NDArray[np.uint16], radius: int, pick: Callable[..., Any]) -> NDArray[np.uint16]:
    """The least or greatest value in the (2 radius + 1)² window around each pixel, the image's edge
    cutting it.
    """
    result = array
    for axis in (0, 1):
        source, result = result, result.copy()
        for step in range(1, min(radius, array.shape[axis] - 1) + 1):
            ahead = [slice(None), slice(None)]
            behind = [slice(None), slice(None)]
            ahead[axis], behind[axis] = slice(step, None), slice(None, -step)
            pick(result[tuple(behind)], source[tuple(ahead)], out=result[tuple(behind)])
            pick(result[tuple(ahead)], source[tuple(behind)], out=result[tuple(ahead)])
    return result
