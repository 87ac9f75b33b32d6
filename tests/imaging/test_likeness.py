"""Copies of a picture cost one pair each, not one for every two of them."""

import numpy as np
import pytest

from segprep.imaging import likeness, resemblance


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


def test_few_pictures_are_compared_even_where_no_band_is_equal() -> None:
    rng = np.random.default_rng(1)
    plain = rng.integers(0, 256, (3, 32), dtype=np.uint8)
    turned = rng.integers(0, 256, (3, 32), dtype=np.uint8)
    turned[2] = plain[0]
    turned[2, ::2] ^= 1  # one bit of each of the 16 bands
    words = map(likeness.in_words, (plain, turned))
    assert likeness._candidates(*words).tolist() == [[0, 2]]


def test_the_search_in_bands_finds_what_comparing_all_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stack = np.random.default_rng(2).integers(0, 256, (60, 32, 32), dtype=np.uint8)
    stack[50:] = stack[:10, ::-1]
    every = list(likeness.pairs(list(stack)))
    monkeypatch.setattr(likeness, "FEW", 0)
    assert len(every) == 10
    assert list(likeness.pairs(list(stack))) == every


@pytest.mark.parametrize("crowd", [40, 10_000])
def test_many_pictures_of_one_key_are_compared_like_few(
    monkeypatch: pytest.MonkeyPatch, crowd: int
) -> None:
    """Hashes of two bands only, each in many pictures; the last are near to the first."""
    rng = np.random.default_rng(6)
    keys = rng.integers(0, 3, (600, 1), np.uint16)
    hashes = np.hstack([keys, rng.integers(0, 1 << 16, (600, 15), np.uint16)])
    hashes[500:] = hashes[:100]
    hashes[500:, 3] ^= 0b10101
    plain = likeness.in_words(hashes.view(np.uint8))
    monkeypatch.setattr(likeness, "CROWD", crowd)
    pairs = []
    monkeypatch.setattr(likeness, "BLOCK", 7000)  # less than a key has
    for many in (1, 1 << 60):
        monkeypatch.setattr(likeness, "MANY", many)
        pairs.append(set(map(tuple, likeness._candidates(plain, plain).tolist())))
    assert pairs[0] == pairs[1]
    assert {(n, 500 + n) for n in range(100)} <= pairs[0]


def test_a_frame_that_two_pictures_share_is_no_likeness() -> None:
    """Two retinas in one black surround, and one of them a second time, half as bright."""
    rng = np.random.default_rng(5)
    down, right = np.mgrid[:32, :32] - 15.5
    seen = np.hypot(down, right) < 14
    first, other = (
        np.where(seen, 120 + rng.normal(0, 9, seen.shape), 3).astype(np.uint8) for _ in range(2)
    )
    assert resemblance.correlated(first, other) > resemblance.ALIKE
    assert resemblance.resemblance(first, other) < 0.3
    assert resemblance.resemblance(first, first // 2) > 0.99


def test_candidates_that_do_not_correlate_are_left_out_in_blocks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As where each is correlated by itself; flat ones, and ones of nearly one color, as well."""
    rng = np.random.default_rng(8)
    stack = rng.integers(0, 256, (40, 32, 32), dtype=np.uint8)
    stack[20:30] = np.minimum(stack[:10, :, ::-1] // 2 + rng.integers(0, 60, (10, 32, 32)), 255)
    stack[30:], stack[31:, 3, 4] = 90, 91
    candidates = np.argwhere(np.tri(40, k=-1, dtype=np.bool_).T)
    monkeypatch.setattr(likeness, "TRIED", 7)
    for turn in likeness.TURNS.values():
        kept = set(likeness._correlated(stack, candidates, turn))
        alike = {
            (one, other)
            for one, other in candidates.tolist()
            if resemblance.correlated(stack[one], turn(stack[other])) >= resemblance.ALIKE
        }
        assert alike <= kept
        assert len(kept) <= len(alike) + 10
