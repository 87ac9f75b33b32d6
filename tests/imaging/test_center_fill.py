"""Filling by centers: against the definition, point by point."""

import numpy as np
import pytest

from segprep.errors import ShapeError
from segprep.imaging.center_fill import center_fill


def by_definition(ring: np.ndarray, height: int, width: int) -> np.ndarray:
    """Even-odd inside of one ring for every center, by counting crossings to the left."""
    result = np.zeros((height, width), bool)
    for row in range(height):
        for column in range(width):
            x, y, inside = column + 0.5, row + 0.5, False
            for (x0, y0), (x1, y1) in zip(ring, np.roll(ring, -1, axis=0), strict=True):
                if (y0 < y) != (y1 < y) and x0 + (y - y0) / (y1 - y0) * (x1 - x0) < x:
                    inside = not inside
            result[row, column] = inside
    return result


def whole(rings: list[list[float]], height: int, width: int) -> np.ndarray:
    (left, top), bits = center_fill(rings, height, width, "a")
    result = np.zeros((height, width), bool)
    result[top : top + bits.shape[0], left : left + bits.shape[1]] = bits
    return result


@pytest.mark.parametrize("seed", range(40))
def test_any_polygon(seed: int) -> None:
    points = np.random.default_rng(seed).uniform(-4, 16, (3 + seed % 7, 2))
    ring = [float(value) for value in points.ravel()]
    assert (whole([ring], 9, 12) == by_definition(points, 9, 12)).all()


def test_corners_of_pixels_and_holes() -> None:
    square, hole = [1.0, 1, 5, 1, 5, 4, 1, 4], [2.0, 2, 3, 2, 3, 3, 2, 3]
    expected = np.zeros((6, 7), bool)
    expected[1:4, 1:5] = True
    expected[2, 2] = False
    assert (whole([square, hole], 6, 7) == expected).all()


def test_far_outside_is_empty() -> None:
    assert not whole([[50.0, 50, 60, 50, 60, 60]], 6, 7).any()
    assert not whole([[-50.0, -50, -60, -50, -60, -60]], 6, 7).any()


def test_what_is_no_polygon() -> None:
    with pytest.raises(ShapeError):
        center_fill([[1.0, 2.0, 3.0, 4.0]], 5, 5, "a")
    with pytest.raises(ShapeError):
        center_fill([[1.0, float("nan"), 3.0, 4.0, 5.0, 6.0]], 5, 5, "a")
