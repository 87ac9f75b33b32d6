"""Contours, cells and objects, on shapes small enough to count by hand.

Reference implementations: tests/oracles.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segprep.evaluation import boundary, panoptic, rand_error
from segprep.evaluation.boundary import Contours, measure
from segprep.evaluation.panoptic import Quality, dsb_score


def square(top: int = 20, left: int = 20, size: int = 20, side: int = 100) -> "np.ndarray":
    found = np.zeros((side, side), np.uint8)
    found[top : top + size, left : left + size] = 1
    return found


def test_a_square_has_a_band_of_two_percent_of_the_diagonal() -> None:
    assert boundary.width((100, 100)) == 3
    found = measure(square(), square(), 255, 2)
    assert found.ids.tolist() == [0, 1]
    assert found.union[1] == 20**2 - 14**2
    assert found.union.tolist() == found.shared.tolist()
    assert found.f_score.tolist() == [1, 1]


def test_a_shift_costs_more_at_the_boundary_than_inside() -> None:
    found = measure(square(), square(left=22), 255, 2)
    inside = 20 * 18 / (20 * 22)
    assert found.shared[1] / found.union[1] < inside
    assert (
        measure(square(), square(left=21), 255, 2).f_score[1] == 1
    )  # within 0.75 % of the diagonal, 1.06 pixels
    assert found.f_score[1] < 1


def test_ignored_pixels_make_no_contour_of_difference() -> None:
    truth, pred = square(), square()
    truth[:40, :30] = 255
    pred[:40, :30] = np.random.default_rng(0).integers(0, 2, (40, 30))
    found = measure(truth, pred, 255, 2)
    assert found.union.tolist() == found.shared.tolist()
    assert found.f_score.tolist() == [1, 1]


def test_boundaries_of_images_add_up() -> None:
    total = Contours(3)
    total.add(measure(square(), square(), 255, 3))
    total.add(measure(square(), square() * 0, 255, 3))
    iou, f_score, mean_iou, mean_f = total.scores(())
    assert iou[1] == pytest.approx(0.5)
    assert f_score[1] == pytest.approx(0.5)
    assert np.isnan(iou[2])
    assert np.isnan(f_score[2])
    assert mean_iou == pytest.approx((iou[0] + iou[1]) / 2)
    assert total.scores((0,))[2] == iou[1]
    assert mean_f == pytest.approx((f_score[0] + f_score[1]) / 2)


def test_the_rand_error_of_cells() -> None:
    walls = np.zeros((9, 9), np.uint8)
    walls[4] = 1
    assert rand_error.cell_errors(walls, walls, 255) == (0, 0)
    open_wall = walls.copy()
    open_wall[4, 4] = 0
    pixel, rand = rand_error.cell_errors(walls, open_wall, 255)
    assert pixel == pytest.approx(1 / 81)
    assert rand == pytest.approx(1 - 2 * (2 * 36 * 35) / (2 * 36 * 35 + 72 * 71))
    assert rand_error.cell_errors(np.full((2, 2), 255), np.zeros((2, 2), int), 255)[1] == 0


def test_panoptic_quality_by_hand() -> None:
    truth, pred, kinds = (
        np.zeros((10, 30), np.uint16),
        np.zeros((10, 30), np.uint16),
        np.zeros((10, 30), np.uint8),
    )
    truth[:, :10], truth[:, 10:14], kinds[:, :14] = 1, 2, 1
    pred[:, :8], pred[:, 20:25] = 5, 6
    guess = np.where(pred > 0, 1, 0)
    found = panoptic.measure(truth, pred, kinds, guess, None, 2)
    assert (found.hits[1], found.extra[1], found.missed[1], found.iou[1]) == (
        1,
        1,
        1,
        pytest.approx(0.8),
    )
    quality = Quality(2)
    quality.add(found)
    told = quality.document(("_background_", "cell"))
    assert (told["sq"], told["rq"], told["pq"]) == (
        pytest.approx(0.8),
        pytest.approx(0.5),
        pytest.approx(0.4),
    )
    assert [row["name"] for row in told["classes"]] == ["cell"]
    guess[:] = 0
    assert (
        panoptic.measure(truth, pred, kinds, guess, None, 2).hits.sum() == 0
    )  # another class is not a hit


def test_objects_in_ignored_pixels_are_no_false_positives() -> None:
    truth, pred = np.zeros((10, 10), np.uint16), np.zeros((10, 10), np.uint16)
    truth[:, 5:] = 65_535
    pred[:, 6:] = 1
    kinds = np.ones((10, 10), np.uint8)
    found = panoptic.measure(truth, pred, kinds, kinds, 65_535, 2)
    assert (found.extra.sum(), found.missed.sum(), found.dsb_score) == (0, 0, 1)


def test_the_bowls_thresholds_are_exact() -> None:
    assert dsb_score([(6, 10)], 1, 1) == pytest.approx(
        0.2
    )  # 0.6 is above 0.5 and 0.55, not above 0.6
    assert dsb_score([], 2, 0) == 0
    assert dsb_score([], 0, 0) == 1
    assert dsb_score([(10, 10), (10, 10)], 2, 2) == 1
    assert dsb_score([(10, 10)], 2, 1) == pytest.approx(0.5)


@given(st.integers(0, 2**32))
def test_perfect_objects_have_quality_one(seed: int) -> None:
    random = np.random.default_rng(seed)
    ids = random.integers(0, 5, (12, 15))
    kinds = np.where(ids > 0, ids % 3, 0)
    found = panoptic.measure(ids, ids * 7, kinds, kinds, None, 3)
    assert found.hits.sum() == len(np.unique(ids[ids > 0]))
    assert found.iou.sum() == found.hits.sum()
    assert (found.extra.sum(), found.missed.sum()) == (0, 0)
