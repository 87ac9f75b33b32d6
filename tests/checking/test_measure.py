"""Facts of one mask: the fast ways give what the plain ones would."""

import numpy as np
import pytest
from scipy.ndimage import binary_erosion, gaussian_filter

from segprep.checking import measure, thin_values
from segprep.imaging import image


def plain(ids: np.ndarray) -> tuple[set[int], set[int]]:
    """Values whose 3 x 3 erosion is empty, and those of them that lie between their neighbors."""
    values = np.unique(ids).tolist()
    thin = {
        value
        for value in values
        if not binary_erosion(ids == value, np.ones((3, 3)), border_value=0).any()
    }
    between = set()
    for value in thin:
        middle = []
        for row, column in zip(*np.nonzero(ids[1:-1, 1:-1] == value), strict=True):
            around = ids[row : row + 3, column : column + 3]
            middle.append(around.min() < value < around.max())
        if middle and np.mean(middle) >= 0.9:
            between.add(value)
    return thin, between


@pytest.mark.parametrize("seed", range(40))
def test_thin_values(seed: int) -> None:
    rng = np.random.default_rng(seed)
    height, width = rng.integers(3, 60, 2).tolist()
    blocks = rng.integers(0, 5, (height // 6 + 1, width // 6 + 1)) * int(rng.integers(1, 40))
    ids = np.kron(blocks, np.ones((7, 7)))[:height, :width]
    if seed % 2:
        ids = gaussian_filter(ids, 0.8)
    if seed % 3 == 0:
        ids[rng.random(ids.shape) < 0.05] = 255
    mask = np.ascontiguousarray(ids.astype(np.uint16 if seed % 4 == 0 else np.uint8))
    thin, between = thin_values.find(mask, image.histogram(mask))
    expected, middle = plain(mask)
    assert set(thin) == expected
    assert set(between) <= middle


@pytest.mark.parametrize(("step", "told"), [(1, 1), (2, 2), (3, 3), (4, 4), (6, 3)])
def test_steps_of_an_enlarged_mask(step: int, told: int) -> None:
    small = np.random.default_rng(step).integers(0, 2, (30, 40), dtype=np.uint8)
    assert measure._steps(np.ascontiguousarray(small.repeat(step, 0).repeat(step, 1))) == told
