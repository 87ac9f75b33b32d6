"""The interval: seeded, independent of order, close to drawing images with replacement, paired for
two predictions.
"""

from math import exp, factorial

import numpy as np
import pytest

from segprep.evaluation.bootstrap import Bootstrap, _weights, interval
from segprep.metrics.confusion import ConfusionMatrix
from segprep.metrics.counting import tally
from segprep.metrics.scores import Policy, Sums, sums


def images(count: int, classes: int = 4, seed: int = 0) -> list[tuple[str, Sums]]:
    random = np.random.default_rng(seed)
    found = []
    for n in range(count):
        truth = random.integers(0, random.integers(2, classes + 1), (8, 9))
        pred = np.where(
            random.random(truth.shape) < random.random() * 0.5,
            random.integers(0, classes, truth.shape),
            truth,
        )
        found.append((f"i{n}", sums(tally(truth, pred), classes, 255, Policy())))
    return found


def filled(
    listed: list[tuple[str, Sums]], samples: int = 500, seed: int = 0, policy: Policy | None = None
) -> Bootstrap:
    made = Bootstrap(samples, seed, policy or Policy(), 4)
    for name, one in listed:
        made.add(name, one)
    return made


def miou(listed: list[Sums], weights: np.ndarray) -> float:
    same, rows, columns = (np.zeros(4) for _ in range(3))
    for one, weight in zip(listed, weights.tolist(), strict=True):
        same[one.ids] += weight * one.same
        rows[one.ids] += weight * one.rows
        columns[one.ids] += weight * one.columns
    union = rows + columns - same
    return float((same[union > 0] / union[union > 0]).mean())


def test_order_and_buffers_change_nothing() -> None:
    listed = images(150)
    one, other = filled(listed).replicates(), filled(listed[::-1]).replicates()
    assert one == pytest.approx(other, abs=1e-12)
    assert len(set(one.tolist())) > 400
    assert filled(listed, seed=1).interval() != filled(listed, seed=2).interval()
    assert filled(listed, seed=-1).interval() != filled(listed, seed=1).interval()


def test_it_is_close_to_drawing_images_with_replacement() -> None:
    listed = images(200)
    random = np.random.default_rng(5)
    drawn = [
        miou([one for _, one in listed], random.multinomial(200, np.full(200, 1 / 200)))
        for _ in range(400)
    ]
    expected, found = np.percentile(drawn, [2.5, 97.5]), filled(listed, 1000).interval()
    assert found == pytest.approx(expected, abs=0.25 * (expected[1] - expected[0]))


def test_replicates_obey_the_policy() -> None:
    listed = images(30, classes=3)  # of four: the last is absent
    plain = filled(listed).replicates()
    assert filled(listed, policy=Policy("zero")).replicates() == pytest.approx(plain * 3 / 4)
    assert filled(listed, policy=Policy("one")).replicates() == pytest.approx((plain * 3 + 1) / 4)
    assert np.isnan(filled(listed, policy=Policy("undefined")).replicates()).all()


def test_equal_predictions_never_differ() -> None:
    listed = images(40)
    difference = filled(listed).replicates() - filled(listed).replicates()
    assert interval(difference) == (0, 0)


def test_one_unit_has_no_interval() -> None:
    assert filled(images(1)).interval() is None
    assert filled([("same", one) for _, one in images(9)]).interval() is None
    assert filled([]).interval() is None
    assert interval(np.array([np.nan])) is None


def test_the_sums_are_those_of_the_matrix() -> None:
    random = np.random.default_rng(0)
    truth, pred = random.integers(0, 3, (2, 20, 20))
    made = ConfusionMatrix(3)
    made.update(truth, pred)
    one = sums(tally(truth, pred), 3, 255, Policy())
    assert one.miou == pytest.approx(made.scores().miou)
    assert one.accuracy == pytest.approx(made.scores().pixel_accuracy)


def test_percentiles_are_numpy_s() -> None:
    random = np.random.default_rng(4)
    for count in (1, 2, 3, 40, 41, 200, 999, 1000, 1001):
        scores = np.append(random.random(count), np.nan)
        expected = tuple(float(np.nanpercentile(scores, share)) for share in (2.5, 97.5))
        assert interval(scores) == expected


def test_weights_are_poisson_and_differ_between_units() -> None:
    """Pinned too: an interval stays the same with the next version of whatever draws it."""
    weights = np.stack([_weights(0, f"i{n}", 1000) for n in range(500)]).astype(float)
    assert weights.mean() == pytest.approx(1, abs=0.005)
    assert weights.var() == pytest.approx(1, abs=0.01)
    for number in range(4):
        share = float((weights == number).mean())
        assert share == pytest.approx(exp(-1) / factorial(number), abs=0.003)
    for rows in (weights[:200], weights.T[:200]):
        assert np.abs(np.corrcoef(rows) - np.eye(200)).max() < 0.25
    assert _weights(0, "a", 16).tolist() == [1, 1, 1, 0, 2, 2, 0, 0, 1, 1, 0, 0, 0, 0, 2, 0]
