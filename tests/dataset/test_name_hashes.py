"""Names are told apart by their hashes, whatever their number and order."""

import numpy as np

from segprep.dataset.name_hashes import BATCH, hashes, others


def test_those_that_are_not_listed_come_in_their_order() -> None:
    random = np.random.default_rng(5)
    names = [f"JPEGImages/{number:x}.jpg" for number in random.integers(0, 1 << 40, 3 * BATCH)]
    listed = set(names[::2]) | {"JPEGImages/été.jpg", "JPEGImages/\udce9.jpg"}
    more = [*names, "JPEGImages/été.jpg", "JPEGImages/\udce9.jpg", "SegmentationClass/x.png"]
    expected = [name for name in more if name not in listed]
    assert list(others(more, hashes(sorted(listed)))) == expected


def test_nothing_listed_and_nothing_asked() -> None:
    assert list(others(["a", "b"], b"")) == ["a", "b"]
    assert list(others([], hashes(["a"]))) == []
