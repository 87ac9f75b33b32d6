"""The guard of every shape: coordinates are pairs of finite numbers, enough of them, near enough.

Coordinates are (x, y) in pixels.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from segprep import kernel
from segprep.errors import ShapeError, SourceError
from segprep.names import shown

FARTHEST = 1_000_000  # pixels from the origin; beyond, a coordinate is a mistake in any format
MAX_POINTS = 100_000  # of one shape
_latest: list[Sequence[float]] = []  # what :func:`coordinates` checked: a shape is made of it next


@contextmanager
def shapes_of(path: Path) -> Iterator[None]:
    """Turn every ShapeError inside into a SourceError of the annotation file *path*."""
    try:
        yield
    except ShapeError as error:
        raise SourceError(path, error.message, error.hint, error.code) from error


def flat_coordinates(
    points: Sequence[float], address: str, kind: str = "shape", *, least: int = 1
) -> Sequence[float]:
    """*points* x0, y0, x1, y1, …, which have to be pairs of finite numbers, *least* to MAX_POINTS
    of them, none farther than FARTHEST from the origin. Raises ShapeError.
    """
    count, rest = divmod(len(points), 2)
    if rest or not least <= count <= MAX_POINTS:
        raise _wrong_count(address, kind, least, MAX_POINTS, f"{count}{' and a half' * rest}")
    if _latest and points is _latest[0]:
        return points
    if not set(map(type, points)) <= {int, float}:
        wrong = next(value for value in points if type(value) not in (int, float))
        if not isinstance(wrong, np.number):
            raise ShapeError(f"{address}: a coordinate is {shown(wrong)[:80]!r}, not a number")
    if not _are_near(points):
        raise ShapeError(
            f"{address}: a coordinate is not finite, or more than {FARTHEST} pixels away"
        )
    return points


def coordinates(
    pairs: Any, address: str, kind: str = "shape", *, least: int = 1, most: int = MAX_POINTS
) -> tuple[float, ...]:
    """*pairs* ``[[x, y], …]`` as an annotation file holds them, as flat x0, y0, x1, y1, …

    Raises ShapeError with the address of the first pair that cannot be right.
    """
    if not isinstance(pairs, list):
        raise ShapeError(f"{address}: a list was expected, not {type(pairs).__name__}")
    if len(pairs) > MAX_POINTS:
        raise ShapeError(
            f"{address}: {len(pairs)} points; {MAX_POINTS} are allowed",
            "simplify the outline",
            "shape-too-complex",
        )
    if (flat := _flat(pairs)) is not None:
        if not least <= len(pairs) <= most:
            raise _wrong_count(address, kind, least, most, str(len(pairs)))
        _latest[:] = [flat]
        return flat
    number = next(n for n, pair in enumerate(pairs) if not _is_pair(pair))
    raise ShapeError(
        f"{address}[{number}]: two finite numbers within ±{FARTHEST} were expected, not"
        f" {shown(pairs[number])[:80]}"
    )


def _flat(pairs: list[Any]) -> tuple[float, ...] | None:
    """*pairs* as x0, y0, x1, y1, …; None where one is no pair of numbers that can be right."""
    if kernel.compiled is not None:
        return kernel.compiled.flat(pairs, FARTHEST)
    if not pairs or list(map(type, pairs)) != [list] * len(pairs):
        return None if pairs else ()
    try:
        xs, ys = zip(*pairs, strict=True)
    except ValueError:  # not two each
        return None
    flat = [0.0] * (2 * len(xs))
    flat[::2], flat[1::2] = xs, ys
    return tuple(flat) if {*map(type, flat)} <= {int, float} and _are_near(flat) else None


def _are_near(flat: Sequence[float]) -> bool:
    """Whether all are finite and near enough; NaN fails a comparison or survives the sum."""
    with suppress(OverflowError):  # whole numbers beyond all floats
        if math.hypot(*flat) < FARTHEST / 2:  # nearly always, in a tenth of the time
            return True
    return len(flat) == 0 or (
        max(flat) <= FARTHEST and min(flat) >= -FARTHEST and not math.isnan(sum(flat))
    )


def _is_pair(pair: Any) -> bool:
    return (
        type(pair) is list
        and len(pair) == 2
        and all(type(value) in (int, float) and abs(value) <= FARTHEST for value in pair)
    )


def _wrong_count(address: str, kind: str, least: int, most: int, count: str) -> ShapeError:
    needs = f"{least}" if least == most else f"{least} to {most}"
    return ShapeError(f"{address}: {kind} needs {needs} points, has {count}")
