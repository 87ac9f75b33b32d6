"""Polygons against a plain NumPy reference of the stated rule: even-odd, outline included.

A pixel whose center is farther than a band from every edge is painted if and only if a ray from it
crosses the outline an odd number of times; every pixel on an edge (a vertex, or the middle of two
that are close) is painted. The band is one pixel, where Pillow rounds edges to pixels; two for
coordinates that are clipped first. Slow: 10,000 polygons (make slow).
"""

import os

import numpy as np
import pytest
from numpy.typing import NDArray

from segprep.imaging.raster import LIMIT, Canvas

HEIGHT, WIDTH = 40, 56
COUNT = 10_000 if os.environ.get("SEGPREP_SLOW") else 300
Points = NDArray[np.float64]


def distances(points: Points) -> NDArray[np.float64]:
    """From every pixel center to the nearest edge of the closed polygon *points* (N, 2): (H, W)."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH].astype(np.float64)
    starts, ends = points, np.roll(points, -1, axis=0)
    best = np.full((HEIGHT, WIDTH), np.inf)
    for (x0, y0), (x1, y1) in zip(starts, ends, strict=True):
        dx, dy = x1 - x0, y1 - y0
        length = dx * dx + dy * dy
        along = ((columns - x0) * dx + (rows - y0) * dy) / length if length else np.zeros(1)
        along = np.clip(along, 0, 1)
        gap = np.hypot(columns - (x0 + along * dx), rows - (y0 + along * dy))
        best = np.minimum(best, gap)
    return best


def inside(points: Points) -> NDArray[np.bool_]:
    """Whether a ray to the right crosses the polygon an odd number of times: (H, W)."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH].astype(np.float64)
    odd = np.zeros((HEIGHT, WIDTH), np.bool_)
    for (x0, y0), (x1, y1) in zip(points, np.roll(points, -1, axis=0), strict=True):
        crosses = (y0 <= rows) != (y1 <= rows)
        if y0 != y1:
            odd ^= crosses & (columns < x0 + (rows - y0) / (y1 - y0) * (x1 - x0))
    return odd


def painted(points: Points) -> NDArray[np.bool_]:
    canvas = Canvas(HEIGHT, WIDTH)
    canvas.polygon(points.ravel().tolist(), 1)
    return canvas.array() == 1


def random_polygon(rng: np.random.Generator) -> tuple[Points, bool]:
    """A polygon of 3 to 12 points, and whether some lie beyond the limit of clipping."""
    count, kind = int(rng.integers(3, 13)), rng.random()
    if kind < 0.4:
        points = rng.uniform((0, 0), (WIDTH, HEIGHT), (count, 2))
    elif kind < 0.7:
        points = rng.uniform((-WIDTH, -HEIGHT), (2 * WIDTH, 2 * HEIGHT), (count, 2))
    elif kind < 0.85:
        points = rng.uniform(-LIMIT, LIMIT, (count, 2))
    else:
        points = rng.normal(0, 1, (count, 2)) * 10 ** rng.uniform(1, 8, (count, 1))
    if rng.random() < 0.3:
        points[rng.integers(count)] = points[rng.integers(count)]
    huge = bool(np.abs(points).max() > LIMIT)
    return (points if huge else np.trunc(points)), huge


@pytest.mark.parametrize("part", range(4))
def test_random_polygons_equal_the_reference(part: int) -> None:
    rng = np.random.default_rng(part)
    for number in range(COUNT // 4):
        points, huge = random_polygon(rng)
        result, reference = painted(points), inside(points)
        clear = distances(points) > (2.0 if huge else 1.0)
        wrong = clear & (result != reference)
        assert not wrong.any(), f"polygon {number} of part {part}: {points.tolist()}"


def test_the_outline_is_included() -> None:
    rng = np.random.default_rng(9)
    for _ in range(COUNT // 4):
        points = np.trunc(rng.uniform((0, 0), (WIDTH, HEIGHT), (int(rng.integers(3, 9)), 2)))
        result = painted(points)
        x, y = points.astype(int).T
        assert result[y, x].all(), points.tolist()


def test_the_reference_can_fail() -> None:
    square = np.array([[5.0, 5.0], [30.0, 5.0], [30.0, 30.0], [5.0, 30.0]])
    assert (inside(square) == painted(square))[distances(square) > 1].all()
    shifted = painted(square + 3)
    assert (inside(square) != shifted)[distances(square) > 1].any()
