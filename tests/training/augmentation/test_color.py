"""One of three color changes, and the whole of UNet++'s augmentation: normalized once, in RGB."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from segprep.errors import UsageError
from segprep.training.augmentation.color import OneColor
from segprep.training.augmentation.hsv import distorted
from segprep.training.augmentation.presets import steps
from segprep.training.augmentation.stream import Chained
from segprep.training.data import pairs as data

RNG = np.random.default_rng
MASK = np.zeros((8, 9), np.uint8)


def picture():
    return RNG(0).integers(60, 190, (8, 9, 3), dtype=np.uint8)


def kinds(step, count=600):
    """Which change each seed makes, told by what it does to the picture."""
    found = []
    for seed in range(count):
        rng = RNG(seed)
        changed = step(picture(), MASK, rng)[0].astype(float)
        offset, factor = changed - picture(), changed / picture()
        found.append(
            "brightness" if offset.std() < 0.5 else "contrast" if factor.std() < 0.01 else "hue"
        )
    return found


def test_one_of_three_each_time():
    found = kinds(OneColor())
    assert [
        abs(found.count(name) / 600 - 1 / 3) < 0.06 for name in ("hue", "brightness", "contrast")
    ] == [True] * 3


def test_ranges():
    changed = np.stack(
        [
            OneColor()(np.full((1, 1, 3), 100, np.uint8), MASK[:1, :1], RNG(n))[0][0, 0, 0]
            for n in range(2000)
        ]
    ).astype(int)
    assert changed.min() == 100 - 51
    assert changed.max() == 100 + 51


def test_added_saturation_and_value():
    """HSV of (200, 100, 100) is 0, .5, 200/255; .1 more of both gives S = .6, V = .884."""
    assert distorted(np.array([[[200, 100, 100]]], np.uint8), 0, more=(0.1, 0.1))[
        0, 0
    ].tolist() == [
        226,
        90,
        90,
    ]  # 225.5, 90.2
    assert distorted(np.array([[[80, 80, 80]]], np.uint8), 0, more=(0.5, 0.0))[0, 0].tolist() == [
        80,
        80,
        80,
    ]


def test_no_change_asked_for_is_none():
    for image in (picture(), picture().astype(np.uint16) * 257, picture().astype(np.float32) / 255):
        for seed in range(9):
            values, ids = OneColor(0, 0, 0, 0, 0)(image, MASK, RNG(seed))
            assert np.array_equal(values, image)
            assert values.dtype == image.dtype
            assert ids is MASK


def test_normalized_once_and_in_rgb():
    """The tutorial divides by 255 after normalizing, which leaves numbers around -0.01, and gives
    BGR the statistics of RGB.
    """
    rng = RNG(1)
    images = [
        np.clip(rng.normal((180, 110, 60), (30, 20, 10), (40, 60, 3)), 0, 255).astype(np.uint8)
        for _ in range(8)
    ]
    pairs = [
        data.ImagePair(f"s{n}", image, np.zeros((40, 60), np.uint8), (40, 60))
        for n, image in enumerate(images)
    ]
    mean, std = data.moments(pairs)
    assert mean[0] > mean[1] > mean[2]
    chain = steps("nested-unet")
    values = torch.stack(
        [Chained(pairs, data.InputSpec(96, None, mean, std), 0, chain)[n][0] for n in range(48)]
    )
    assert values.shape == (48, 3, 96, 96)
    assert values.mean((0, 2, 3)).abs().max() < 0.5
    assert 0.5 < values.std() < 2


@pytest.mark.parametrize(
    "wrong", [{"hue": 0.7}, {"contrast": 2}, {"brightness": -1}, {"value": "much"}]
)
def test_parameters_that_make_no_sense(wrong):
    with pytest.raises(UsageError, match=next(iter(wrong))):
        OneColor(**wrong)
