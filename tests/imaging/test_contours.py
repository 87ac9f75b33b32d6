"""Outlines enclose exactly their region, and filling them gives it back."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from segprep.imaging import contours

MASKS = arrays.arrays(np.bool_, st.tuples(st.integers(1, 14), st.integers(1, 14)))


@given(MASKS)
def test_regions_are_opencvs_4_connected_components(bits: np.ndarray) -> None:
    count, labels = cv2.connectedComponents(bits.astype(np.uint8), connectivity=4)
    regions = contours.traced(bits)
    assert len(regions) == count - 1
    for region in regions:
        number = labels[tuple(region.outer.pixels[0])]
        area = region.outer.area + sum(hole.area for hole in region.holes)
        assert area == np.count_nonzero(labels == number)
        for outline in (region.outer, *region.holes):
            assert (labels[outline.pixels[:, 0], outline.pixels[:, 1]] == number).all()


@given(MASKS)
def test_a_bridged_polygon_fills_the_region_with_its_holes(bits: np.ndarray) -> None:
    canvas = np.zeros(bits.shape, np.uint8)
    for region in contours.traced(bits):
        ring = contours.bridged(region.outer.pixels, [hole.pixels for hole in region.holes])
        ring = contours.simplified(ring, 0)
        cv2.fillPoly(canvas, [ring[:, ::-1].astype(np.int32)], 1)
    assert (canvas.astype(bool) == bits).all()


def test_values_and_their_boxes() -> None:
    values = np.array([[0, 0, 0, 7], [0, 5, 0, 7], [0, 0, 0, 0]])
    found = {value: (top, left, bits.shape) for value, top, left, bits in contours.boxes(values)}
    assert found == {0: (0, 0, (3, 4)), 5: (1, 1, (1, 1)), 7: (0, 3, (2, 1))}
    background, five, seven = contours.regions(values)
    assert (background.value, len(background.holes), background.outer.area) == (0, 1, 10)
    assert five.outer.pixels.tolist() == [[1, 1]]
    assert seven.outer.corners.tolist() == [[0, 3], [0, 4], [1, 4], [2, 4], [2, 3], [1, 3]]


@pytest.mark.parametrize(("tolerance", "points"), [(0, 7), (1.0, 4)])
def test_simplification_keeps_what_is_farther_than_the_tolerance(
    tolerance: float, points: int
) -> None:
    line = np.array([[0, 0], [0, 3], [0, 5], [1, 6], [0, 7], [0, 10], [8, 10], [8, 0], [4, 0]])
    kept = contours.simplified(line, tolerance)
    assert len(kept) == points
