"""Counting and formulas: what must hold for every pair of label maps."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from segprep import kernel
from segprep.errors import SegprepError, UsageError
from segprep.metrics import counting
from segprep.metrics.confusion import ConfusionMatrix, count, scores
from segprep.metrics.counting import joint, tally
from segprep.metrics.scores import Policy, baseline, sums

Maps = NDArray[np.uint8]
IGNORE = 255


@st.composite
def pairs(draw: st.DrawFn, ignored: bool = True) -> tuple[Maps, Maps, int]:
    """Truth, prediction, classes: blobs and noise, sizes around the eight-pixel words."""
    classes = draw(st.integers(2, 12))
    height, width = draw(st.integers(1, 12)), draw(st.integers(1, 40))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    coarse = random.integers(0, classes, (2, height, -(-width // draw(st.sampled_from([1, 4, 9])))))
    truth, pred = (
        np.repeat(coarse, 9, axis=2)[:, :, :width].astype(np.uint8)
        if draw(st.booleans())
        else random.integers(0, classes, (2, height, width)).astype(np.uint8)
    )
    if ignored and draw(st.booleans()):
        truth = np.where(random.random(truth.shape) < 0.2, IGNORE, truth).astype(np.uint8)
    return truth, pred, classes


def slowly(
    truth: NDArray[Any], pred: NDArray[Any], classes: int, ignore: int | None = IGNORE
) -> NDArray[np.int64]:
    matrix = np.zeros((classes, classes), np.int64)
    for row, column in zip(truth.ravel().tolist(), pred.ravel().tolist(), strict=True):
        if row != ignore:
            matrix[row, column] += 1
    return matrix


@given(pairs())
def test_counts_equal_counting_one_by_one(case: tuple[Maps, Maps, int]) -> None:
    truth, pred, classes = case
    expected = slowly(truth, pred, classes)
    assert np.array_equal(count(truth, pred, classes), expected)
    assert np.array_equal(count(truth.astype(np.int64), pred.astype(np.uint16), classes), expected)
    assert count(truth, pred, classes).dtype == np.int64


@given(pairs(ignored=False))
def test_transposed_maps_transpose_the_matrix(case: tuple[Maps, Maps, int]) -> None:
    truth, pred, classes = case
    matrix = count(truth, pred, classes)
    assert np.array_equal(count(pred, truth, classes), matrix.T)
    assert np.array_equal(count(truth.T, pred.T, classes), matrix)
    assert np.array_equal(scores(matrix).precision, scores(matrix.T).recall, equal_nan=True)


@given(st.lists(pairs(), min_size=1, max_size=5), st.integers(0, 5))
def test_matrices_add_up_over_any_partition(cases: list[tuple[Maps, Maps, int]], cut: int) -> None:
    whole, first, second = (ConfusionMatrix(12) for _ in range(3))
    for n, (truth, pred, _) in enumerate(cases):
        whole.update(truth, pred)
        (first if n < cut else second).update(truth, pred)
    both = first + second
    assert np.array_equal(both.matrix, whole.matrix)
    assert np.array_equal(both.ignored, whole.ignored)
    assert (both.valid, both.ignored_pixels) == (whole.valid, whole.ignored_pixels)


@given(pairs(), st.randoms(use_true_random=False))
def test_renumbering_the_classes_renumbers_the_scores(
    case: tuple[Maps, Maps, int], random: Any
) -> None:
    truth, pred, classes = case
    order = random.sample(range(classes), classes)
    table = np.arange(256)
    table[:classes] = order
    before, after = (
        scores(count(truth, pred, classes)),
        scores(count(table[truth], table[pred], classes)),
    )
    assert np.array_equal(before.iou, after.iou[order], equal_nan=True)
    for name in ("miou", "fwiou", "kappa", "pixel_accuracy"):
        assert getattr(before, name) == pytest.approx(getattr(after, name), nan_ok=True)


@given(pairs(), st.integers(0, 255))
def test_what_is_predicted_at_ignored_pixels_never_matters(
    case: tuple[Maps, Maps, int], other: int
) -> None:
    truth, pred, classes = case
    assert np.array_equal(
        count(truth, np.where(truth == IGNORE, other, pred).astype(np.uint8), classes),
        count(truth, pred, classes),
    )


@given(pairs())
def test_pixels_are_all_accounted_for(case: tuple[Maps, Maps, int]) -> None:
    truth, pred, classes = case
    made = ConfusionMatrix(classes)
    made.update(truth, np.where(pred == classes - 1, 200, pred))
    assert made.valid + made.invalid_pixels == int((truth != IGNORE).sum())
    assert made.ignored_pixels == int((truth == IGNORE).sum())
    assert int(made.scores().pixels.sum()) == made.valid + made.invalid_pixels


@given(pairs())
def test_perfect_is_one(case: tuple[Maps, Maps, int]) -> None:
    truth, _, classes = case
    found = scores(count(truth, np.where(truth == IGNORE, 0, truth), classes))
    if (truth != IGNORE).any():
        assert (
            found.miou,
            found.mean_dice,
            found.pixel_accuracy,
            found.fwiou,
            found.mean_recall,
            found.mean_precision,
        ) == (1, 1, 1, 1, 1, 1)


@given(pairs(), st.booleans())
def test_sums_of_an_image_equal_those_of_its_matrix(
    case: tuple[Maps, Maps, int], invalid: bool
) -> None:
    truth, pred, classes = case
    pred = np.where(pred == 1, 99, pred) if invalid else pred
    for policy in (
        Policy(),
        Policy("zero", excluded=(0,), void=(0,)),
        Policy("zero", ignored_as=0),
        Policy(excluded=(1,)),
    ):
        made = ConfusionMatrix(classes)
        made.update(truth, pred)
        wanted = made.sums(policy)
        found = sums(tally(truth, pred), classes, IGNORE, policy)
        kept = np.setdiff1d(np.flatnonzero(wanted[1] + wanted[2]), policy.excluded)
        assert found.ids.tolist() == kept.tolist()
        for mine, theirs in zip((found.same, found.rows, found.columns), wanted, strict=True):
            assert mine.tolist() == theirs[kept].tolist()


def test_scores_by_hand() -> None:
    found = scores(np.array([[50, 10, 0], [5, 30, 5], [0, 0, 0]]))
    assert found.iou.tolist() == pytest.approx([50 / 65, 30 / 50, 0])
    assert found.dice.tolist() == pytest.approx([100 / 115, 60 / 80, 0])
    assert found.precision.tolist() == pytest.approx([50 / 55, 30 / 40, 0])
    assert found.recall.tolist()[:2] == pytest.approx([50 / 60, 30 / 40])
    assert np.isnan(found.recall[2])
    assert found.specificity.tolist() == pytest.approx([35 / 40, 50 / 60, 95 / 100])
    assert found.pixel_accuracy == pytest.approx(0.8)
    assert found.fwiou == pytest.approx((60 * 50 / 65 + 40 * 0.6) / 100)
    chance = (60 * 55 + 40 * 40) / 100**2
    assert found.kappa == pytest.approx((0.8 - chance) / (1 - chance))
    assert found.averaged == 3


def test_absent_classes_follow_the_policy() -> None:
    matrix = np.array([[8, 0, 0], [2, 0, 0], [0, 0, 0]])
    assert [scores(matrix, absent).miou for absent in ("nan", "zero", "one")] == pytest.approx(
        [0.4, 0.8 / 3, 1.8 / 3]
    )
    assert [scores(matrix, absent).averaged for absent in ("nan", "zero", "one")] == [2, 3, 3]
    assert np.isnan(scores(matrix, "undefined").miou)
    assert scores(matrix, exclude=[1]).miou == 0.8
    assert np.isnan(scores(np.zeros((3, 3), int)).miou)


def test_the_baseline_is_the_majority_class() -> None:
    top, trivial = baseline(np.array([10, 90, 0]), Policy())
    assert (top, trivial.pixel_accuracy, trivial.miou, trivial.averaged) == (1, 0.9, 0.45, 2)


def test_invalid_predictions_are_no_row_and_no_column() -> None:
    truth, pred = np.array([0, 0, 1, 1, 255], np.uint8), np.array([0, 7, 1, 255, 9], np.uint8)
    with pytest.raises(SegprepError, match="2 predicted values") as caught:
        count(truth, pred, 2)
    assert caught.value.code == "invalid-prediction"
    assert count(truth, pred, 2, invalid="count").tolist() == [[1, 0], [0, 1]]
    made = ConfusionMatrix(2)
    made.update(truth, pred)
    assert made.invalid.tolist() == [1, 1]
    assert made.scores().recall.tolist() == [0.5, 0.5]
    assert made.scores().precision.tolist() == [1, 1]
    assert made.scores().miou == 0.5


def test_unknown_truth_is_an_error_and_ignore_is_no_class() -> None:
    with pytest.raises(SegprepError, match="not class ids: 7") as caught:
        count(np.array([7]), np.array([0]), 2)
    assert caught.value.code == "unknown-value"
    with pytest.raises(UsageError, match="--ignore-index 1") as refused:
        ConfusionMatrix(3, ignore=1)
    assert "--exclude-class 1" in refused.value.hint
    assert count(np.array([-1, 1]), np.array([0, 1]), 2, ignore=-1).tolist() == [[0, 0], [0, 1]]
    assert count(np.array([255]), np.array([255]), 256, ignore=None)[255, 255] == 1


def test_maps_that_are_no_label_maps_are_refused() -> None:
    with pytest.raises(ValueError, match="differ in shape"):
        count(np.zeros((2, 3), int), np.zeros((3, 2), int), 2)
    with pytest.raises(ValueError, match="integers"):
        count(np.zeros(3), np.zeros(3), 2)
    assert count(np.zeros((0, 4), np.uint8), np.zeros((0, 4), np.uint8), 2).sum() == 0
    assert count(np.array([True, False]), np.array([True, True]), 2).tolist() == [[0, 1], [0, 1]]
    with pytest.raises(ValueError, match="cannot be added"):
        ConfusionMatrix(2) + ConfusionMatrix(3)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32), st.integers(4_097, 65_536))
def test_many_classes_are_counted_sparsely(seed: int, classes: int) -> None:
    random = np.random.default_rng(seed)
    truth, pred = random.integers(0, classes, (2, 500)).astype(np.uint16)
    made = ConfusionMatrix(classes, ignore=None)
    made.update(truth, pred)
    made += ConfusionMatrix(classes, ignore=None)
    made.update(truth, truth)
    matrix = made.matrix
    assert matrix.shape == (classes, classes)
    assert matrix.dtype == np.int64
    assert int(matrix.sum()) == made.valid == 1000
    assert all(
        matrix[t, p] >= 1 for t, p in zip(truth[:50].tolist(), pred[:50].tolist(), strict=True)
    )
    pixels = np.bincount(truth, minlength=classes)
    found = made.scores(absent="nan")
    same = pixels + np.bincount(truth[truth == pred], minlength=classes)
    union = 2 * pixels + pixels + np.bincount(pred, minlength=classes) - same
    assert found.miou == pytest.approx((same[union > 0] / union[union > 0]).mean())
    assert scores(matrix).miou == pytest.approx(found.miou)


@pytest.mark.parametrize("noise", [(0.0,), (0.05,), (0.08,), (0.3,), (1.0,), (1.0, 0.0, 0.08)])
@pytest.mark.parametrize("values", [3, 256])
def test_runs_and_single_pixels_are_counted_the_same(
    noise: tuple[float, ...], values: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel, "compiled", None)
    monkeypatch.setattr(counting, "BLOCK", 1 << 13)  # several, each added to those before
    monkeypatch.setattr(counting, "AT_ONCE", 2)
    monkeypatch.setattr(counting, "MOST", 10_000)
    random, parts = np.random.default_rng(1), list[np.ndarray]()
    for share in noise:
        flat = np.repeat(random.integers(0, 19, (2, 2560)), 50, axis=1)
        flat[0, :999] = 255
        noisy = random.random(flat.shape) < share
        parts.append(np.where(noisy, random.integers(0, values, flat.shape), flat))
    truth, pred = np.concatenate(parts, axis=1).astype(np.uint8)
    keys, pixels = np.unique(truth.astype(int) << 8 | pred, return_counts=True)
    counts = tally(truth, pred)
    assert (counts.truth.tolist(), counts.pred.tolist()) == (
        (keys >> 8).tolist(),
        (keys & 255).tolist(),
    )
    assert counts.pixels.tolist() == pixels.tolist()
    assert {part.dtype for part in (counts.truth, counts.pred, counts.pixels)} == {np.dtype("q")}


def test_a_table_is_as_large_as_its_values() -> None:
    truth = np.array([255, 0, 18, 255], np.uint8)
    table = joint(truth, truth[::-1].copy())
    assert table.shape == (20, 20)
    assert table[0, 0] == 2  # 255 comes first
    assert table[1, 19] == table[19, 1] == 1
