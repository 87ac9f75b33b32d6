"""Hue, saturation and value: a hue that wraps, hand values, and the standard library's own
conversion as reference.
"""

import colorsys

import numpy as np
import pytest

pytest.importorskip("torch")

from segprep.errors import UsageError
from segprep.training.augmentation.hsv import Hsv, distorted

RNG = np.random.default_rng
MASK = np.zeros((20, 30), np.uint8)


def picture(seed=0):
    return RNG(seed).integers(0, 256, (20, 30, 3), dtype=np.uint8)


def test_red_less_36_degrees_is_324():
    """The tutorials' version leaves red as it is."""
    turned = distorted(np.array([[[255, 0, 0]]], np.uint8), -36)[0, 0]
    assert colorsys.rgb_to_hsv(*(turned / 255))[0] * 360 == pytest.approx(324, abs=0.3)
    assert turned.tolist() == [255, 0, 153]
    assert distorted(np.array([[[255, 0, 10]]], np.uint8), 36)[0, 0].tolist() == [
        255,
        143,
        0,
    ]  # 357.65 + 36 = 33.65 degrees; 255 * 33.65 / 60


@pytest.mark.parametrize(
    ("degrees", "saturation", "value"),
    [(-36, 1, 1), (36, 1.7, 1.3), (10, 0.3, 0.7), (180, 1, 1), (0, 0.5, 1), (0, 1, 1.4)],
)
def test_against_the_standard_library(degrees, saturation, value):
    image = picture()
    ours = distorted(image, degrees, saturation, value)
    for row, column in ((0, 0), (3, 7), (19, 29), (11, 2), (5, 5), (8, 21)):
        h, s, v = colorsys.rgb_to_hsv(*(image[row, column] / 255))
        wanted = (
            np.array(
                colorsys.hsv_to_rgb(
                    (h + degrees / 360) % 1, min(s * saturation, 1), min(v * value, 1)
                )
            )
            * 255
        )
        assert np.abs(ours[row, column] - wanted).max() <= 0.51


def test_identity():
    """No change asked for is not a change at all; a full turn neither; and the round trip itself is
    exact for every level.
    """
    for image in (picture(), picture().astype(np.uint16) * 257, picture().astype(np.float32) / 255):
        assert np.array_equal(Hsv(0, 0, 0)(image, MASK, RNG(0))[0], image)
        assert np.array_equal(distorted(image, 360), image)
    image = RNG(1).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    assert np.array_equal(distorted(image, 1e-5), image)
    assert np.array_equal(
        distorted(distorted(np.array([[[255, 0, 0]]], np.uint8), -36), 36), [[[255, 0, 0]]]
    )


def test_gray_has_no_hue():
    gray = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    assert np.array_equal(distorted(gray, 77, 1.7), gray)
    assert np.array_equal(distorted(gray, 0, 1, 0.5)[0, :, 0], np.rint(np.arange(256) / 2))


def test_kinds():
    eight = picture()
    for image in (eight.astype(np.uint16) * 257, eight.astype(np.float32) / 255):
        ours = distorted(image, 30, 1.2, 0.9)
        assert ours.dtype == image.dtype
        assert (
            np.abs(
                ours / (257 if image.dtype == np.uint16 else 1 / 255)
                - distorted(eight, 30, 1.2, 0.9).astype(float)
            ).max()
            < 0.51
        )


def test_the_ranges():
    drawn = np.array([Hsv().draw(RNG(n)) for n in range(3000)])
    for values, low, high in zip(drawn.T, (-36, 0.3, 0.7), (36, 1.7, 1.3), strict=True):
        assert low <= values.min() < low + 0.02 * (high - low)
        assert high >= values.max() > high - 0.02 * (high - low)
        assert abs(values.mean() - (low + high) / 2) < 0.03 * (high - low)


def test_the_variant_from_1_to_1_5():
    drawn = np.array([Hsv(0.1, 0.5, 0.5, reciprocal=True).draw(RNG(n))[1:] for n in range(3000)])
    assert drawn.min() == pytest.approx(1 / 1.5, abs=0.002)
    assert drawn.max() == pytest.approx(1.5, abs=0.002)
    assert np.abs((drawn < 1).mean(0) - 0.5).max() < 0.03


def test_the_mask_is_left_alone():
    image, mask = picture(), RNG(2).integers(0, 3, (20, 30), dtype=np.uint8)
    values, ids = Hsv()(image, mask, RNG(5))
    assert ids is mask
    assert not np.array_equal(values, image)
    assert np.array_equal(values, Hsv()(image, mask, RNG(5))[0])


@pytest.mark.parametrize(
    "wrong", [{"hue": 0.6}, {"hue": -0.1}, {"saturation": 1.5}, {"value": None}]
)
def test_parameters_that_make_no_sense(wrong):
    with pytest.raises(UsageError, match=next(iter(wrong))):
        Hsv(**wrong)
