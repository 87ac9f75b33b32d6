"""scikit-learn does the same another way: an oracle for the search for look-alikes."""

import numpy as np
import pytest

from segprep.imaging import likeness, resemblance

neighbors = pytest.importorskip("sklearn.neighbors", reason="scikit-learn is an oracle only")


def test_a_ball_tree_over_the_hashes_finds_the_same_pairs() -> None:
    """Its neighbors within NEAR bits, verified by correlation, are the pairs that lie alike."""
    rng = np.random.default_rng(4)
    stack = rng.integers(0, 256, (400, 32, 32), dtype=np.uint8)
    for n in range(40):  # copies with more and more noise
        noise = rng.normal(0, 1 + n / 2, (32, 32))
        stack[200 + n] = np.clip(stack[n] + noise, 0, 255).astype(np.uint8)
    ours = {(one, other) for one, other, turn, _ in likeness.pairs(list(stack)) if not turn}
    bits = np.unpackbits(likeness.hashes(stack), axis=1)
    radius = likeness.NEAR / bits.shape[1] + 1e-9
    near = neighbors.BallTree(bits, metric="hamming").query_radius(bits, radius)
    theirs = {
        (one, int(other))
        for one, others in enumerate(near)
        for other in others
        if one < other and resemblance.correlated(stack[one], stack[other]) >= resemblance.ALIKE
    }
    assert ours == theirs
    assert len(ours) >= 20
