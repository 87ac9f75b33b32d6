"""The outlines of regions: traced between pixels, so that nothing is guessed, and given back as the
region's own border pixels or as the corners between pixels.

A region is 4-connected here; two pixels that touch at a corner are two regions. Rows come first:
points are (row, column). An outer outline runs clockwise as one looks at the picture, a hole's
counterclockwise.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.int64]  # (N, 2): row, column
_STEPS = ((0, 1), (1, 0), (0, -1), (-1, 0))  # east, south, west, north, the region on the right
_OWNERS = ((0, 0), (0, -1), (-1, -1), (-1, 0))  # from an edge's first corner to the pixel it bounds


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """One closed outline: *corners* between pixels, *pixels* of the region along it."""

    corners: Points
    pixels: Points

    @property
    def area(self) -> float:
        """Pixels enclosed, of the region and its holes; negative for the outline of a hole."""
        return signed_area(self.corners)


@dataclass(frozen=True, slots=True, eq=False)
class TracedRegion:
    """A 4-connected region of *value*: its *outer* outline and those of its *holes*."""

    value: int
    outer: Outline
    holes: tuple[Outline, ...]


def signed_area(corners: Points) -> float:
    """The area inside the closed polygon *corners*: positive where it runs clockwise."""
    rows, columns = corners[:, 0].astype(np.float64), corners[:, 1].astype(np.float64)
    return float(np.dot(columns, np.roll(rows, -1)) - np.dot(np.roll(columns, -1), rows)) / 2


def regions(values: NDArray[Any]) -> Iterator[TracedRegion]:
    """Every 4-connected region of every value of *values* (H, W) of unsigned integers: by value,
    then from the top.
    """
    for value, top, left, bits in boxes(values):
        yield from traced(bits, value, top, left)


def boxes(values: NDArray[Any]) -> Iterator[tuple[int, int, int, NDArray[np.bool_]]]:
    """(value, top, left, where it is in its bounding box) of every value of *values* (H, W)."""
    flat = values.reshape(-1)
    order = np.argsort(flat, kind="stable")
    ids, starts = np.unique(flat[order], return_index=True)
    width = values.shape[1]
    for value, places in zip(ids.tolist(), np.split(order, starts[1:]), strict=True):
        rows, columns = places // width, places % width
        top, left = int(rows[0]), int(columns.min())
        bits = values[top : int(rows[-1]) + 1, left : int(columns.max()) + 1] == value
        yield value, top, left, bits


def traced(
    bits: NDArray[np.bool_], value: int = 1, top: int = 0, left: int = 0
) -> list[TracedRegion]:
    """The regions of *bits* (H, W), moved by (*top*, *left*)."""
    edges = _Edges(bits)
    rings = edges.rings()
    offset = np.array([top, left])
    outlines = [
        Outline(edges.starts[ring] + offset, _pixels(edges, ring) + offset) for ring in rings
    ]
    owners = edges.owners(rings, [outline.area for outline in outlines])
    holes: dict[int, list[Outline]] = {}
    for number, owner in enumerate(owners):
        if owner != number:
            holes.setdefault(owner, []).append(outlines[number])
    return [
        TracedRegion(value, outlines[number], tuple(holes.get(number, ())))
        for number, owner in enumerate(owners)
        if owner == number
    ]


def _pixels(edges: "_Edges", ring: NDArray[np.int64]) -> Points:
    """The region's pixels along a ring, repeated ones once."""
    pixels: Points = edges.starts[ring] + np.asarray(_OWNERS)[edges.directions[ring]]
    new = np.any(pixels != np.roll(pixels, 1, axis=0), axis=1)
    return pixels[new] if new.any() else pixels[:1]


class _Edges:
    """The edges between *bits* (H, W) and what is not set, each with the set pixel on its right:
    *starts* (N, 2) are corners, *directions* (N,) index _STEPS.
    """

    def __init__(self, bits: NDArray[np.bool_]) -> None:
        height, width = bits.shape
        padded = np.zeros((height + 2, width + 2), np.bool_)
        padded[1:-1, 1:-1] = bits
        neighbors = (padded[:-2, 1:-1], padded[1:-1, 2:], padded[2:, 1:-1], padded[1:-1, :-2])
        starts, directions = [], []
        for direction, other in enumerate(neighbors):
            pixels = np.argwhere(bits & ~other)
            starts.append(pixels - np.asarray(_OWNERS[direction]))
            directions.append(np.full(len(pixels), direction))
        self.starts: Points = np.concatenate(starts).astype(np.int64)
        self.directions: NDArray[np.int64] = np.concatenate(directions).astype(np.int64)
        self.number = np.full((4, height + 1, width + 1), -1, np.int64)
        self.number[self.directions, self.starts[:, 0], self.starts[:, 1]] = np.arange(
            len(self.starts)
        )

    def rings(self) -> list[NDArray[np.int64]]:
        """The edges as closed rings: at every corner right before straight before left."""
        ends = self.starts + np.asarray(_STEPS)[self.directions]
        following = np.full(len(ends), -1, np.int64)
        for turn in (3, 0, 1):  # the last one that exists wins: left, straight, right
            other = self.number[(self.directions + turn) % 4, ends[:, 0], ends[:, 1]]
            following = np.where(other >= 0, other, following)
        after, rings = following.tolist(), []
        seen = bytearray(len(after))
        for first in range(len(after)):
            if seen[first]:
                continue
            ring, edge = [], first
            while not seen[edge]:
                seen[edge] = 1
                ring.append(edge)
                edge = after[edge]
            rings.append(np.array(ring, np.int64))
        return rings

    def owners(self, rings: list[NDArray[np.int64]], areas: list[float]) -> list[int]:
        """The number of the outer ring that each ring belongs to: its own for an outer one.

        Left of the pixel above a hole's highest pixel the region ends at a ring that is outer or a
        higher hole.
        """
        ring_of = np.empty(len(self.starts), np.int64)
        for number, ring in enumerate(rings):
            ring_of[ring] = number
        lefts = np.cumsum(self.number[3] >= 0, axis=1) if min(areas, default=0) < 0 else None
        columns = np.flatnonzero(self.directions == 3)
        order = columns[np.lexsort((self.starts[columns, 1], self.starts[columns, 0]))]
        firsts = np.searchsorted(self.starts[order, 0], np.arange(self.number.shape[1] + 1))
        result: list[int] = []
        for number in range(len(rings)):
            at = number
            while areas[at] < 0:
                assert lefts is not None
                ring = rings[at]
                west = ring[self.directions[ring] == 2]
                top = west[np.argmin(self.starts[west, 0])]
                row, column = self.starts[top]  # the lower right corner of the pixel above
                count = lefts[row, column - 1]  # left edges start at a pixel's lower left corner
                at = int(ring_of[order[firsts[row] + count - 1]])
            result.append(at)
        return result


def simplified(points: Points, tolerance: float) -> Points:
    """The closed polygon *points* with fewer points: none is farther than *tolerance* from the new
    outline (Douglas and Peucker's rule); with 0 only points on straight lines go.
    """
    if len(points) < 4:
        return points
    middle = points.mean(axis=0)  # what is farthest from it is a corner: begin there
    points = np.roll(points, -int(np.argmax(((points - middle) ** 2).sum(axis=1))), axis=0)
    far = int(np.argmax(((points - points[0]) ** 2).sum(axis=1)))
    closed = np.concatenate([points, points[:1]]).astype(np.float64)
    keep = np.zeros(len(closed), np.bool_)
    keep[[0, far, len(points)]] = True
    stack = [(0, far), (far, len(points))]
    while stack:
        first, last = stack.pop()
        if last - first < 2:
            continue
        corner = first + 1 + _farthest(closed[first : last + 1], tolerance)
        if corner > first:
            keep[corner] = True
            stack += [(first, corner), (corner, last)]
    return points[keep[:-1]]


def _farthest(line: NDArray[np.float64], tolerance: float) -> int:
    """The inner point of *line* that is farthest from the straight way, or -1 if none is farther
    than *tolerance*.
    """
    start, way = line[0], line[-1] - line[0]
    inner = line[1:-1] - start
    length = float(np.hypot(*way))
    along = np.clip(inner @ way / (length * length), 0, 1) if length else np.zeros(len(inner))
    gaps = inner - along[:, None] * way
    distances = np.hypot(gaps[:, 0], gaps[:, 1])
    farthest = int(np.argmax(distances))
    return farthest if distances[farthest] > tolerance + 1e-9 else -1


def bridged(outer: Points, holes: list[Points]) -> Points:
    """One closed polygon of *outer* and its *holes*: each hole is joined from its leftmost point to
    what is joined already, straight to the left, there and back. Simplify the result, not parts.
    """
    ring = outer
    for hole in sorted(holes, key=lambda points: (int(points[:, 1].min()), int(points[0, 0]))):
        start = int(np.argmin(hole[:, 1]))
        at = _left_of(ring, hole[start])
        turned = np.concatenate([hole[start:], hole[: start + 1]])
        ring = np.concatenate([ring[: at + 1], turned, ring[at:]])
    return ring


def _left_of(ring: Points, point: NDArray[np.int64]) -> int:
    """The point of *ring* straight to the left of *point*, or else the nearest one."""
    row = np.flatnonzero((ring[:, 0] == point[0]) & (ring[:, 1] <= point[1]))
    if len(row):
        return int(row[np.argmax(ring[row, 1])])
    return int(np.argmin(((ring - point) ** 2).sum(axis=1)))
