"""The spans of pixels that polygons fill, by Pillow's rules: what ``_polygons.c`` does, by NumPy
for all polygons of an image at once.

Corners are whole numbers. A row is filled between the first and the second place where edges meet
it, the third and the fourth, and so on; horizontal edges are drawn by themselves.
"""

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FARTHEST = 1 << 15  # of a corner from the origin: sort keys hold it
_CORNERS = 1 << 20  # of all polygons together: the same
_MEETINGS = 1 << 20  # of edges and rows: as much memory as is worth it
Whole = NDArray[np.int64]
Single = NDArray[np.float32]


class _SteepEdges(NamedTuple):
    """Edges that are not horizontal: the *number* of the polygon, from 0, where an edge begins (*x*
    and *y*), the rows *low* to *high* that it reaches, whether these are the polygon's *last*, its
    *slope*, columns per row, and *ends*: for each *low*, then for each *high*, what is the same
    where edges of one polygon meet and lead to the same side, 1 of odd numbers: down.
    """

    number: Whole
    x: Single
    y: Whole
    low: Whole
    high: Whole
    last: NDArray[np.bool_]
    slope: Single
    ends: Whole

    def meeting(self, edges: Whole, rows: Whole) -> Single:
        """The columns where these *edges* meet the *rows*, rounded as C's floats are."""
        steps = (rows - self.y.take(edges)).astype(np.float32)
        steps *= self.slope.take(edges)
        steps += self.x.take(edges)
        return steps


def spans(
    polygons: Sequence[Sequence[float]], height: int, width: int
) -> tuple[Whole, Whole] | None:
    """Where spans begin and end (exclusive) on an image of *height* and *width*, in order, as
    ``(polygon * height + row) * width + column``, polygons counted from 0; those of one polygon do
    not overlap. None for a corner, or polygons, beyond reach.
    """
    sizes = [len(points) // 2 for points in polygons]
    flat = np.fromiter(chain.from_iterable(polygons), np.float64, 2 * sum(sizes))
    if max(flat.max(), -flat.min()) >= FARTHEST or sum(sizes) > _CORNERS:
        return None
    edges, begins, ends = _edges(flat.astype(np.int64).reshape(-1, 2), sizes, height, width)
    first, final = np.maximum(edges.low, 0), np.minimum(edges.high, height - 1)
    counts = np.maximum(final - first + 1, 0)
    if counts.sum() > _MEETINGS:
        return None
    places, columns = _meetings(edges, first, counts, height)
    lefts = np.maximum((columns[::2] + np.float32(0.5)).astype(np.int64), 0)
    rights = np.ceil(columns[1::2] - np.float32(0.5)).astype(np.int64) + 1
    rights[columns[1::2] == -0.5] = 1
    rows = places[::2] * width
    filled = (np.minimum(rights, width, out=rights) > lefts).nonzero()[0]
    begins = np.concatenate([begins, (rows + lefts)[filled]])
    ends = np.concatenate([ends, (rows + rights)[filled]])
    return _apart(begins, ends)


def _edges(
    corners: Whole, sizes: Sequence[int], height: int, width: int
) -> tuple[_SteepEdges, Whole, Whole]:
    """The edges of polygons of *sizes* corners (N, 2); where the spans of horizontal ones begin and
    end.
    """
    bounds = np.cumsum([0, *sizes])
    following = np.arange(1, len(corners) + 1)
    following[bounds[1:] - 1] = bounds[:-1]
    x, y = corners.T
    x1, y1 = x.take(following), y.take(following)
    number = np.repeat(np.arange(len(sizes)), sizes)
    bottom = np.maximum.reduceat(y, bounds[:-1]).take(number)
    steep = (y != y1).nonzero()[0]
    level = (y == y1) & (y >= 0) & (y < height)
    level[bounds[1:] - 1] &= (x != x1)[bounds[1:] - 1]
    level = level.nonzero()[0]
    lefts = np.maximum(np.minimum(x[level], x1[level]), 0)
    rights = np.minimum(np.maximum(x[level], x1[level]) + 1, width)
    seen = (lefts < rights).nonzero()[0]
    rows = (number[level] * height + y[level]) * width
    corner = ((number << 16) + y + FARTHEST << 16) + x + FARTHEST << 1
    number, bottom, x, x1, y, y1, begin, end = (
        values.take(steep)
        for values in (number, bottom, x, x1, y, y1, corner, corner.take(following))
    )
    low, high = np.minimum(y, y1), np.maximum(y, y1)
    slope = (x1 - x).astype(np.float32) / (y1 - y).astype(np.float32)
    meets = np.concatenate([np.minimum(begin, end) + 1, np.maximum(begin, end)])
    edges = _SteepEdges(number, x.astype(np.float32), y, low, high, high == bottom, slope, meets)
    return edges, (rows + lefts)[seen], (rows + rights)[seen]


def _meetings(edges: _SteepEdges, first: Whole, counts: Whole, height: int) -> tuple[Whole, Single]:
    """Where edges meet *counts* rows from the *first* on, in order: polygon * *height* + row, and
    the column. Each comes as often as it counts.
    """
    offsets = np.cumsum(counts) - counts
    which = np.repeat(np.arange(len(counts)), counts)
    rows = np.arange(len(which)) + (first - offsets).take(which)
    columns = edges.meeting(which, rows)
    cut, at, values = _corners(edges)
    shown = ((at >= 0) & (at < height)).nonzero()[0]
    columns[((offsets - first).take(cut) + at)[shown]] = values[shown]
    twice = ((edges.high < height) & (edges.high >= 0) & ~edges.last).nonzero()[0]
    twice = (offsets + counts - 1)[twice]  # so that they fit the edges that go on
    places = edges.number.take(which) * height + rows
    places = np.concatenate([places, places[twice]])
    bits = np.concatenate([columns, columns[twice]]).view(np.int32)
    bits ^= (bits >> 31) & 0x7FFFFFFF  # in the order of the floats
    keys = (places << 32) + bits
    keys.sort()
    bits = keys.astype(np.int32)
    bits ^= (bits >> 31) & 0x7FFFFFFF
    return (keys - keys.astype(np.int32)) >> 32, bits.view(np.float32)


def _corners(edges: _SteepEdges) -> tuple[Whole, Whole, Single]:
    """Edges that are cut off in the row where they begin or end, that row, and the column instead.

    An edge is if an earlier one meets it there, and both lead to the same side by more than a
    pixel. Where another goes on below the row, none is.
    """
    keys = (edges.ends << 20) + np.tile(np.arange(len(edges.x)), 2)
    if not edges.slope.all():  # vertical ones are not cut off, nor do they cut off others
        keys = keys[np.tile(edges.slope != 0, 2)]
    keys.sort()
    ends = keys >> 20
    later = (ends[1:] == ends[:-1]).nonzero()[0] + 1
    edge, down = keys[later] & _CORNERS - 1, ends[later] & 1
    other = keys[np.searchsorted(ends, ends[later])] & _CORNERS - 1
    cut = ((down == 1) | edges.last.take(edge)).nonzero()[0]
    edge, other, down = edge[cut], other[cut], down[cut]
    rows = np.where(down, edges.low.take(edge), edges.high.take(edge))
    beside = rows + 2 * down - 1
    x, own, its = (
        edges.meeting(edge, rows),
        edges.meeting(edge, beside),
        edges.meeting(other, beside),
    )
    unit = np.float32(1)
    left = (x > own + unit) & (x > its + unit)
    right = (x < own - unit) & (x < its - unit)
    x[left] = (_rounded(np.maximum(own, its)) + unit)[left]
    x[right] = (_rounded(np.minimum(own, its)) - unit)[right]
    return edge, rows, x


def _rounded(x: Single) -> Single:
    """The nearest whole numbers, halves away from zero."""
    whole = np.trunc(x)
    rest = x - whole
    whole += rest >= 0.5
    whole -= rest <= -0.5
    return whole


def _apart(begins: Whole, ends: Whole) -> tuple[Whole, Whole]:
    """Spans in order, those joined that overlap."""
    if not len(begins):
        return begins, ends
    keys = (begins << 16) + ends - begins
    keys.sort()
    begins = keys >> 16
    ends = np.maximum.accumulate(begins + (keys & 0xFFFF))
    gaps = (begins[1:] >= ends[:-1]).nonzero()[0]
    return begins[np.append(0, gaps + 1)], ends[np.append(gaps, len(keys) - 1)]
