"""Connected components against scikit-image."""

import numpy as np
import pytest
from skimage.measure import label

from segprep.imaging.components import sizes


@pytest.mark.parametrize("seed", range(12))
def test_as_scikit_image(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 40, 2))
    mask = rng.integers(0, rng.integers(1, 4), shape).astype(np.uint8)
    values, counts = sizes(mask)
    found = sorted(zip(values.tolist(), counts.tolist(), strict=True))
    expected = []
    pieces = label(mask.astype(int) + 1, connectivity=2)
    for piece in range(1, pieces.max() + 1):
        inside = pieces == piece
        expected.append((int(mask[inside][0]), int(inside.sum())))
    assert found == sorted(expected)


def test_a_spiral_is_one_component() -> None:
    mask = np.zeros((9, 9), np.uint8)
    mask[0], mask[:, 8], mask[8], mask[2:, 0], mask[2, :7], mask[2:7, 6], mask[6, 2:7] = [1] * 7
    values, counts = sizes(mask)
    assert [int(c) for v, c in zip(values, counts, strict=True) if v == 1] == [int(mask.sum())]


def test_nothing() -> None:
    assert [len(part) for part in sizes(np.zeros((0, 5), np.uint8))] == [0, 0]
