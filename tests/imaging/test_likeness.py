"""Copies of a picture cost one pair each, not one for every two of them."""

import numpy as np

from segprep.imaging import likeness


def test_copies_are_tied_to_the_first_of_them() -> None:
    rng = np.random.default_rng(3)
    two = [rng.integers(0, 256, (likeness.SIDE, likeness.SIDE), dtype=np.uint8) for _ in range(2)]
    order = [0, 1] * 150
    found = list(likeness.pairs([two[n] for n in order]))
    assert [(one, other) for one, other, _, _ in found] == [(n % 2, n) for n in range(2, 300)]


def test_a_copy_is_reached_by_what_looks_like_the_first() -> None:
    rng = np.random.default_rng(4)
    picture = rng.integers(0, 256, (likeness.SIDE, likeness.SIDE), dtype=np.uint8)
    found = [pair[:3] for pair in likeness.pairs([picture, picture, picture[:, ::-1]])]
    assert found == [(0, 1, ""), (0, 2, "mirrored left to right")]
