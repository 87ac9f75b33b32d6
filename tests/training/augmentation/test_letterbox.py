"""Letterbox: the published numbers, bars that count nowhere, and the way back."""

import numpy as np
import pytest

pytest.importorskip("torch")

from segprep.errors import UsageError
from segprep.training.augmentation.letterbox import Letterbox, framed
from segprep.training.data import pairs


@pytest.mark.parametrize(
    ("width", "height", "wanted"),
    [(565, 584, (495, 512, 8, 0)), (500, 375, (512, 384, 0, 64)), (999, 1, (512, 1, 0, 255))],
)
def test_published_places(width, height, wanted):
    h, w, top, left = Letterbox(512, 512).placement(height, width)
    assert (w, h, left, top) == wanted
    assert pairs.InputSpec(512, None, (), ()).worked(height, width) == (h, w)


def test_the_bars_are_gray_and_ignored():
    image, mask = Letterbox(512, 512)(
        np.zeros((375, 500, 3), np.uint8), np.ones((375, 500), np.uint8)
    )
    assert (image[:64] == 128).all()
    assert (image[448:] == 128).all()
    assert not image[64:448].any()
    assert (mask[:64] == 255).all()
    assert (mask[448:] == 255).all()
    assert (mask[64:448] == 1).all()


def test_padding_never_becomes_target():
    """Labels whose target is dark: <= 127.5 -> 1.

    The compat switch gives the tutorials' bars, ids 0.
    """
    mask = np.zeros((30, 60), np.uint8)
    mask[5:9, 7:50] = 1
    image = np.zeros((30, 60, 3), np.uint8)
    ids = Letterbox(60, 60)(image, mask)[1]
    assert np.bincount(ids.reshape(-1), minlength=256)[[0, 1, 255]].tolist() == [
        30 * 60 - 172,
        172,
        30 * 60,
    ]
    assert np.bincount(Letterbox(60, 60, label=0)(image, mask)[1].reshape(-1)).tolist() == [
        60 * 60 - 172,
        172,
    ]


@pytest.mark.parametrize("size", [(1, 999), (999, 1), (1, 1), (3, 2), (584, 565)])
@pytest.mark.parametrize("anchor", ["center", "corner"])
def test_any_shape_fits(size, anchor):
    box = Letterbox(64, 96, anchor=anchor)
    image, mask = box(np.full((*size, 3), 200, np.uint8), np.zeros(size, np.uint8))
    h, w, *corner = box.placement(*size)
    assert image.shape == (64, 96, 3)
    assert (mask == 0).sum() == h * w
    assert (image[mask == 0] == 200).all()
    if anchor == "corner":
        assert corner == [0, 0]


def test_corner_on_black_as_keep_image_size_open():
    """Ids survive, and the inverse crop gives the mask back where it was enlarged by a whole
    factor.
    """
    mask = np.random.default_rng(0).integers(0, 4, (64, 40), dtype=np.uint8)
    box = Letterbox(256, 256, gray=0, anchor="corner")
    image, ids = box(np.full((64, 40, 3), 9, np.uint8), mask)
    assert not image[:, 160:].any()
    assert set(np.unique(ids[:, :160])) == {0, 1, 2, 3}
    assert (ids[:, 160:] == 255).all()


def test_kinds_are_kept():
    for dtype, gray in ((np.uint8, 128), (np.uint16, 32_896), (np.float32, 128 / 255)):
        image = Letterbox(32, 32)(np.zeros((10, 20, 3), dtype), np.zeros((10, 20), np.uint8))[0]
        assert image.dtype == dtype
        assert image[0, 0, 0] == pytest.approx(gray)


def test_framed_places_and_crops():
    part = np.arange(1, 7, dtype=np.uint8).reshape(2, 3)
    assert framed(part, 3, 4, 1, 1, 0).tolist() == [[0, 0, 0, 0], [0, 1, 2, 3], [0, 4, 5, 6]]
    assert framed(part, 2, 2, -1, -1, 0).tolist() == [[5, 6], [0, 0]]
    assert framed(part, 1, 2, -1, 1, 9).tolist() == [[9, 4]]
    assert framed(part, 1, 1, 5, -9, 9).tolist() == [[9]]


@pytest.mark.parametrize(
    "wrong", [{"rows": 0}, {"columns": -1}, {"gray": 300}, {"label": -1}, {"anchor": "left"}]
)
def test_parameters_that_make_no_sense(wrong):
    with pytest.raises(UsageError, match=next(iter(wrong))):
        Letterbox(**({"rows": 8, "columns": 8} | wrong))
