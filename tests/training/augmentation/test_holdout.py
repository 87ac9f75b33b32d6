"""Validation splits: Keras' two orders, the seeded one, and the ends."""

import pytest

pytest.importorskip("torch")

from segprep.errors import SegprepError, UsageError
from segprep.training.augmentation.holdout import validation_split

STEMS = [str(n) for n in range(30)]


def test_keras_generator_takes_the_first_of_the_sorted_names():
    train, val = validation_split(sorted(STEMS), 0.2, "first")
    assert val == ("0", "1", "10", "11", "12", "13")
    assert train[:3] == ("14", "15", "16")
    assert len(train) == 24


def test_keras_fit_takes_the_last():
    train, val = validation_split(STEMS, 0.2, "last")
    assert val == ("24", "25", "26", "27", "28", "29")
    assert train == tuple(STEMS[:24])


def test_counts_are_keras_own():
    """floor(v N) in front, N - floor((1 - v) N) behind; exact where floats are not (1 - 0.9 =
    0.0999...98).
    """
    for count, share, first, last in (
        (7, 0.2, 1, 2),
        (10, 0.1, 1, 1),
        (101, 0.25, 25, 26),
        (10, 0.9, 9, 9),
        (100, 0.29, 29, 29),
        (30, 0.2, 6, 6),
    ):
        stems = [f"s{n}" for n in range(count)]
        for how, wanted in (("first", first), ("last", last), ("random", first)):
            train, val = validation_split(stems, share, how)
            assert len(val) == wanted
            assert sorted(train + val) == sorted(stems)


def test_the_seeded_draw_does_not_depend_on_the_order_of_the_list():
    one, two, other = (
        validation_split(STEMS, 0.3, seed=1),
        validation_split(STEMS[::-1], 0.3, seed=1),
        validation_split(STEMS, 0.3, seed=2),
    )
    assert set(one[1]) == set(two[1]) != set(other[1])
    assert len(one[1]) == 9
    assert list(one[0]) == [stem for stem in STEMS if stem not in one[1]]
    assert set(one[1]) not in ({*STEMS[:9]}, {*STEMS[-9:]})


def test_none_asked_for():
    assert validation_split(STEMS, 0) == (tuple(STEMS), ())


@pytest.mark.parametrize(("stems", "share", "how", "code"), [
    ([], 0.2, "random", "empty-list"), (["a", "b"], 0.2, "first", "too-few-samples"), (["a"], 0.5, "last", "too-few-samples"),
    (STEMS, 1.0, "last", "bad-option"), (STEMS, -0.1, "last", "bad-option"), (STEMS, 0.2, "middle", "bad-option"), (["a", "a", "b"], 0.4, "last", "bad-option"),
    (STEMS, float("nan"), "last", "bad-option"),
])  # fmt: skip
def test_what_cannot_be_split(stems, share, how, code):
    with pytest.raises(SegprepError) as error:
        validation_split(stems, share, how)
    assert error.value.code == code
    assert isinstance(error.value, UsageError) == (code == "bad-option")
