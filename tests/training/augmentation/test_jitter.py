"""Shape, scale, flip, place: the drawn parameters, and that the mask follows the image."""

import numpy as np
import pytest

pytest.importorskip("torch")

from segprep.errors import UsageError
from segprep.training.augmentation.jitter import Jitter

RNG = np.random.default_rng


def test_the_drawn_parameters():
    """The ratio starts from the image's own shape (here 2:1); .7/1.3 to 1.3/.7; the longer side is
    .25 to 2 times the frame's.
    """
    drawn = [Jitter(512, 512).draw(300, 600, RNG(n)) for n in range(3000)]
    ratios = np.array([w / h for h, w, *_ in drawn])
    assert 2 * 0.7 / 1.3 * 0.97 < ratios.min() < 1.2
    assert 3.4 < ratios.max() < 2 * 1.3 / 0.7 * 1.05
    assert abs(np.median(ratios) - 2) < 0.05
    longer = np.array([max(h, w) for h, w, *_ in drawn]) / 512
    assert 0.248 < longer.min() < 0.26
    assert 1.98 < longer.max() <= 2
    assert abs(longer.mean() - 1.125) < 0.03
    assert abs(np.mean([mirrored for *_, mirrored in drawn]) - 0.5) < 0.04
    for h, w, top, left, _ in drawn:
        assert min(0, 512 - h) <= top <= max(0, 512 - h)
        assert min(0, 512 - w) <= left <= max(0, 512 - w)


def test_an_upright_image_keeps_its_shape_too():
    ratios = [w / h for h, w, *_ in (Jitter(256, 512).draw(600, 300, RNG(n)) for n in range(500))]
    assert abs(np.median(ratios) - 0.5) < 0.03


def test_a_marker_moves_alike_in_both():
    """White discs on black: the mask's disc lies where the image's is, to half a pixel, cropped or
    not.
    """
    rows, columns = np.mgrid[:300, :400]
    mask = (np.hypot(rows - 150, columns - 230) < 60).astype(np.uint8)
    image = np.repeat(mask[:, :, None] * np.uint8(255), 3, axis=2)
    seen = 0
    for seed in range(40):
        values, ids = Jitter(256, 256, gray=0)(image, mask, RNG(seed))
        disc = ids == 1
        assert set(np.unique(ids)) <= {0, 1, 255}
        assert not values[ids == 255].any()
        if disc.sum() > 200:
            seen += 1
            assert (values[..., 0] > 127)[disc].mean() > 0.97
            assert (values[..., 0] > 127)[~disc].sum() < 0.05 * disc.sum()
    assert seen > 30


def test_nothing_to_do_is_nothing_done():
    image, mask = (
        RNG(0).integers(0, 256, (32, 48, 3), dtype=np.uint8),
        RNG(1).integers(0, 3, (32, 48), dtype=np.uint8),
    )
    values, ids = Jitter(32, 48, (1, 1), (1, 1), 0)(image, mask, RNG(0))
    assert np.array_equal(values, image)
    assert np.array_equal(ids, mask)
    assert np.array_equal(Jitter(32, 48, (1, 1), (1, 1), 1)(image, mask, RNG(0))[1], mask[:, ::-1])


@pytest.mark.parametrize("size", [(1, 999), (999, 1), (1, 1)])
def test_strips(size):
    for seed in range(10):
        values, ids = Jitter(64, 64)(
            np.full((*size, 3), 7, np.uint16), np.ones(size, np.uint8), RNG(seed)
        )
        assert values.shape == (64, 64, 3)
        assert (ids == 1).any()
        assert ((values[..., 0] == 7) == (ids == 1)).all()


@pytest.mark.parametrize(
    "wrong",
    [
        {"rows": 0},
        {"aspect": (1.3, 0.7)},
        {"scale": (0, 1)},
        {"flip": 2},
        {"gray": 256},
        {"scale": 3},
    ],
)
def test_parameters_that_make_no_sense(wrong):
    with pytest.raises(UsageError, match=next(iter(wrong))):
        Jitter(**({"rows": 8, "columns": 8} | wrong))
