"""Elastic deformation: size of the shifts, identity, one geometry for image and mask."""

import numpy as np
import pytest

pytest.importorskip("torch")

from scipy import interpolate

from segprep.errors import UsageError
from segprep.training.augmentation.elastic import Elastic, splines

RNG = np.random.default_rng


def ramps(height=120, width=160):
    rows, columns = np.mgrid[:height, :width]
    return np.stack([rows, columns, rows], axis=2).astype(np.float32), rows.astype(np.uint8)


def test_sigma_0_is_the_identity():
    image, mask = (
        RNG(0).integers(0, 256, (30, 40, 3), dtype=np.uint8),
        RNG(1).integers(0, 3, (30, 40), dtype=np.uint8),
    )
    values, ids = Elastic(0)(image, mask, RNG(0))
    assert np.array_equal(values, image)
    assert np.array_equal(ids, mask)


def test_the_shifts_deviate_by_sigma_pixels():
    """At the nine grid points of 101 x 201: normal, mean 0, standard deviation 10 px, rows and
    columns independent.
    """
    fields = np.stack([Elastic().field(101, 201, RNG(n))[:, ::50, ::100] for n in range(800)])
    assert fields.shape == (800, 2, 3, 3)
    assert np.abs(fields.std(0) - 10).max() < 1
    assert np.abs(fields.mean(0)).max() < 1.3
    assert abs(np.corrcoef(fields[:, 0].ravel(), fields[:, 1].ravel())[0, 1]) < 0.05
    assert abs((np.abs(fields) < 10).mean() - 0.683) < 0.02  # a normal distribution
    assert np.allclose(Elastic(5).field(9, 9, RNG(3)), Elastic(10).field(9, 9, RNG(3)) / 2)


def test_between_the_points_lies_a_cubic_spline():
    """Interpolating, smooth, and summing to 1; between points the clamped cubic spline that SciPy's
    own class gives.
    """
    weights = splines(101, 3)
    assert np.allclose(weights[::50], np.eye(3))
    assert np.allclose(weights.sum(1), 1)
    clamped = interpolate.CubicSpline([0, 50, 100], np.eye(3), bc_type="clamped")(np.arange(101))
    assert np.allclose(weights, clamped, atol=1e-9)


@pytest.mark.parametrize("order", [1, 3])
def test_image_and_mask_share_one_geometry(order):
    """On ramps the interpolated value is the very coordinate, away from the mirrored border."""
    image, mask = ramps()
    for seed in range(10):
        values, ids = Elastic(order=order)(image, mask, RNG(seed))
        inner = (
            (values[..., 0] > 8)
            & (values[..., 0] < 111)
            & (values[..., 1] > 8)
            & (values[..., 1] < 151)
        )
        assert inner.sum() > 5000
        assert np.abs(values[..., 0] - ids)[inner].max() <= 0.5 + 1e-2
        assert np.abs(values[..., 0] - mask).max() > 1


def test_pixels_come_from_where_the_field_points():
    image, mask = ramps()
    field = Elastic().field(120, 160, RNG(4))
    values, _ = Elastic(order=1)(image, mask, RNG(4))
    wanted = mask + field[0]
    inner = (wanted > 0) & (wanted < 119)
    assert np.abs(values[..., 0] - wanted)[inner].max() < 1e-3


def test_ids_are_kept_and_constant_gives_255():
    mask = (RNG(0).random((80, 80)) < 0.3).astype(np.uint8) * 7
    image = RNG(0).integers(0, 256, (80, 80, 3), dtype=np.uint8)
    for seed in range(10):
        assert set(np.unique(Elastic()(image, mask, RNG(seed))[1])) == {0, 7}
        values, ids = Elastic(fill="constant")(image, mask, RNG(seed))
        assert set(np.unique(ids)) <= {0, 7, 255}
        assert not values[ids == 255].any()
    assert values.dtype == np.uint8


def test_seeded():
    image, mask = (
        RNG(0).integers(0, 65_536, (40, 50, 3)).astype(np.uint16),
        np.zeros((40, 50), np.uint8),
    )
    one, two, other = (Elastic()(image, mask, RNG(n))[0] for n in (1, 1, 2))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)
    assert one.dtype == np.uint16


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (50, 1), (2, 2)])
def test_tiny_images(size):
    for fill in ("reflect", "nearest", "wrap", "constant"):
        image, mask = Elastic(fill=fill)(
            np.full((*size, 3), 9, np.uint8), np.ones(size, np.uint8), RNG(0)
        )
        assert image.shape == (*size, 3)
        assert mask.shape == size


@pytest.mark.parametrize(
    "wrong",
    [{"sigma": -1}, {"grid": 1}, {"grid": 2.5}, {"order": 2}, {"fill": "mirror"}, {"label": -1}],
)
def test_parameters_that_make_no_sense(wrong):
    with pytest.raises(UsageError, match=next(iter(wrong))):
        Elastic(**wrong)
