"""Counts of class ids and ignored pixels alone take a short way, which gives the same."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from segprep.metrics.confusion import ConfusionMatrix
from segprep.metrics.counting import Tally, tally
from segprep.metrics.scores import Policy, sums


@given(st.integers(0, 2**32), st.sampled_from([255, 3, -1, None]), st.booleans(), st.booleans())
def test_both_ways_give_the_same(seed: int, ignore: int | None, odd: bool, wrong: bool) -> None:
    random = np.random.default_rng(seed)
    truth, pred = random.integers(0, 3, (2, 40))
    if ignore is not None:
        truth[random.random(40) < 0.3] = ignore
    pred[random.random(40) < 0.1] = random.choice([255, -2, 7]) if odd else 1
    pred[truth == 255] = random.integers(0, 5)
    if wrong:
        truth[3] = 9
    counts = tally(truth, pred)
    outcomes = []
    for short in (True, False):
        matrix = ConfusionMatrix(3, ignore)
        way = counts if short else Longwise(counts.truth, counts.pred, counts.pixels)
        try:
            numbers: Any = matrix.add(way)
        except Exception as error:
            numbers = str(error)
        one = sums(way, 3, ignore, Policy(excluded=(1,)))
        parts = (matrix.matrix, matrix.invalid, matrix.ignored, *vars_of(one))
        outcomes.append((numbers, [part.tolist() for part in parts]))
    assert outcomes[0] == outcomes[1]


class Longwise(Tally):
    """Counts that take no short way."""

    def plain(self, size: int, ignore: int | None) -> int:
        return -1


def vars_of(one: Any) -> tuple[Any, ...]:
    return one.ids, one.same, one.rows, one.columns


def test_the_short_way_is_for_class_ids_and_one_ignored_value() -> None:
    def plain(truth: list[int], pred: list[int], ignore: int | None = 255) -> int:
        return tally(np.array(truth, int), np.array(pred, int)).plain(3, ignore)

    assert plain([0, 1, 2, 255], [2, 1, 0, 7]) == 3
    assert plain([255], [9]) == plain([], []) == 0
    assert plain([0, 3], [0, 0]) == plain([0, 3, 255], [0, 0, 0]) == -1
    assert plain([0, -1], [0, 0]) == plain([0], [3]) == plain([0], [-1]) == -1
    assert plain([0, 255], [0, 0], None) == -1
