"""Random size, crop and flips: sizes, padding, and that the mask follows."""

import numpy as np
import pytest

pytest.importorskip("torch")

from segprep.errors import UsageError
from segprep.training.augmentation.scaling import Flip, RandomCrop, RandomResize, Stretch, resampled

RNG = np.random.default_rng


def test_the_shorter_side_is_282_to_678():
    image, mask = np.zeros((584, 565, 3), np.uint8), np.zeros((584, 565), np.uint8)
    sizes = [RandomResize()(image, mask, RNG(n))[1].shape for n in range(60)]
    shorter = [min(size) for size in sizes]
    assert min(shorter) >= 282
    assert max(shorter) <= 678
    assert min(shorter) < 310
    assert max(shorter) > 650
    assert all(abs(size[0] / size[1] - 584 / 565) < 0.005 for size in sizes)
    ends = {
        min(RandomResize((3, 5))(image[:9, :6], mask[:9, :6], RNG(n))[1].shape) for n in range(60)
    }
    assert ends == {3, 4, 5}


def test_a_strip_does_not_fill_the_memory():
    image, mask = RandomResize()(
        np.zeros((999, 1, 3), np.uint8), np.ones((999, 1), np.uint8), RNG(0)
    )
    assert mask.shape == image.shape[:2] == (16_384, 16)


def test_255_comes_only_from_the_mask_and_the_padding():
    mask = np.zeros((584, 565), np.uint8)
    mask[100:200] = 1
    mask[:, :30] = 255
    image = np.full((584, 565, 3), 90, np.uint8)
    image[:, :30] = 0
    for seed in range(20):
        rng = RNG(seed)
        values, ids = RandomCrop()(*RandomResize()(image, mask, rng), rng)
        assert values.shape == (480, 480, 3)
        assert ids.shape == (480, 480)
        assert set(np.unique(ids)) <= {0, 1, 255}
        assert (values[ids == 255] < 90).all()
        assert (values[ids != 255] > 0).all()


def test_padding_lies_right_and_below():
    values, ids = RandomCrop(6)(np.full((4, 3, 3), 9, np.uint8), np.ones((4, 3), np.uint8), RNG(0))
    assert ids.tolist() == [[1] * 3 + [255] * 3] * 4 + [[255] * 6] * 2
    assert (values[..., 0] == np.where(ids == 1, 9, 0)).all()
    mixed = RandomCrop(4)(np.zeros((9, 3, 3), np.float32), np.ones((9, 3), np.uint8), RNG(0))
    assert mixed[1].tolist() == [[1, 1, 1, 255]] * 4
    assert mixed[0].dtype == np.float32


def test_every_place_of_the_crop_is_as_likely():
    mask = np.arange(6, dtype=np.uint8).reshape(1, 6).repeat(3, axis=0)
    image = np.repeat(mask[:, :, None], 3, axis=2)
    starts = [int(RandomCrop(3)(image, mask, RNG(n))[1][0, 0]) for n in range(1200)]
    assert np.bincount(starts).min() > 230
    assert len(np.bincount(starts)) == 4


def test_flips_move_both():
    mask = np.arange(6, dtype=np.uint8).reshape(2, 3)
    image = np.repeat(mask[:, :, None], 3, axis=2)
    for step, wanted in (
        (Flip(1, 0), mask[:, ::-1]),
        (Flip(0, 1), mask[::-1]),
        (Flip(1, 1), mask[::-1, ::-1]),
        (Flip(0, 0), mask),
    ):
        values, ids = step(image, mask, RNG(0))
        assert np.array_equal(ids, wanted)
        assert np.array_equal(values[..., 1], wanted)
    drawn = [Flip(0.5, 0.5, quarters=True)(image, mask, RNG(n))[1] for n in range(99)]
    seen = {(one.shape, one.tobytes()) for one in drawn}
    assert len(seen) == 8
    assert all(
        np.array_equal(
            *(a if a.ndim == 2 else a[..., 0] for a in Flip(quarters=True)(image, mask, RNG(n)))
        )
        for n in range(9)
    )


def test_stretch():
    mask = np.zeros((10, 40), np.uint8)
    mask[:, 20:] = 3
    values, ids = Stretch(96, 96)(np.repeat(mask[:, :, None], 3, axis=2) * np.uint8(50), mask)
    assert values.shape == (96, 96, 3)
    assert (ids[:, :48] == 0).all()
    assert (ids[:, 48:] == 3).all()
    assert (values[:, :46] == 0).all()
    assert (values[:, 50:] == 150).all()


def test_resampling_keeps_kind_range_and_ids():
    mask = RNG(0).integers(0, 3, (20, 30), dtype=np.uint8)
    assert set(np.unique(resampled(mask, 47, 71, "nearest"))) == {0, 1, 2}
    eight = RNG(1).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    sixteen = resampled(eight.astype(np.uint16) * 257, 31, 17, "bicubic")
    assert sixteen.dtype == np.uint16
    assert np.abs(sixteen / 257 - resampled(eight, 31, 17, "bicubic")).max() < 1.5
    assert resampled(eight, 20, 30, "bicubic") is eight


@pytest.mark.parametrize(
    "make",
    [
        lambda: RandomResize((700, 300)),
        lambda: RandomResize((0, 3)),
        lambda: RandomCrop(0),
        lambda: RandomCrop(8, label=999),
        lambda: Flip(1.5),
        lambda: RandomResize(5),
        lambda: RandomCrop(8, gray=-1),
        lambda: Stretch(0, 5),
    ],
)
def test_parameters_that_make_no_sense(make):
    with pytest.raises(UsageError):
        make()
