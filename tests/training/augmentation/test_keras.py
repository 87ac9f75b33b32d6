"""The paired generator against SciPy's and scikit-image's own transforms, hand values, and itself:
one motion for image and mask.
"""

import numpy as np
import pytest

pytest.importorskip("torch")

from scipy import ndimage
from skimage import transform

from segprep.errors import UsageError
from segprep.training.augmentation.keras import Motion, Paired, moved

RNG = np.random.default_rng


def picture(height=40, width=56, seed=0):
    return RNG(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def ramps(height=60, width=90):
    """An image whose channels are the row and the column, and a mask that is the row: a motion is
    visible at every pixel.
    """
    rows, columns = np.mgrid[:height, :width]
    return np.stack([rows, columns, rows], axis=2).astype(np.float32), rows.astype(np.uint8)


def test_degrees_turn_like_scikit_image():
    """rotation = 30 is 30 degrees, around the exact middle."""
    image = ndimage.gaussian_filter(picture().astype(np.float32), (3, 3, 0))
    ours = moved(image, Motion(rotation=30), "constant", 1, 0)
    theirs = transform.rotate(image, -30, order=1, mode="constant", cval=0, preserve_range=True)
    inside = transform.rotate(np.ones((40, 56)), -30, order=0) > 0.5
    assert np.abs(ours - theirs)[ndimage.binary_erosion(inside, iterations=2)].max() < 1e-3


@pytest.mark.parametrize("turn", [90, 180, 270, -90])
def test_quarter_turns_are_exact(turn):
    image = picture(48, 48)
    assert np.array_equal(
        moved(image, Motion(rotation=turn), "constant"), np.rot90(image, round(-turn / 90))
    )


@pytest.mark.parametrize(
    ("fill", "mode"),
    [("nearest", "edge"), ("reflect", "symmetric"), ("wrap", "wrap"), ("constant", "constant")],
)
def test_fill_modes_against_numpy(fill, mode):
    """A whole shift needs no interpolation: the result is a window of the padded image."""
    image = picture()
    padded = np.pad(
        image,
        ((15, 15), (15, 15), (0, 0)),
        mode,
        **({"constant_values": 7} if mode == "constant" else {}),
    )
    for down, right in ((9, -12), (-3, 15), (0, 4)):
        assert np.array_equal(
            moved(image, Motion(down=down, right=right), fill, 1, 7),
            padded[15 + down : 55 + down, 15 + right : 71 + right],
        )


@pytest.mark.parametrize("fill", ["nearest", "reflect"])
def test_everything_at_once_against_a_written_out_reference(fill):
    """Keras' matrix, rotation x shift x shear x zoom about the middle, through map_coordinates."""
    image, motion = (
        picture().astype(np.float32),
        Motion(20, 3.5, -2.25, 12, 0.9, 1.2, mirrored=True),
    )
    a, s = np.radians(20), np.radians(12)
    matrix = np.array(
        [[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]]
    ) @ np.array([[1, 0, 3.5], [0, 1, -2.25], [0, 0, 1]])
    matrix = (
        matrix
        @ np.array([[1, -np.sin(s), 0], [0, np.cos(s), 0], [0, 0, 1]])
        @ np.diag([0.9, 1.2, 1])
    )
    centered = (
        np.array([[1, 0, 19.5], [0, 1, 27.5], [0, 0, 1]])
        @ matrix
        @ np.array([[1, 0, -19.5], [0, 1, -27.5], [0, 0, 1]])
    )
    rows, columns = np.mgrid[:40, :56]
    places = np.tensordot(centered[:2], np.stack([rows, columns, np.ones_like(rows)]), 1)
    for order in (0, 1):
        wanted = np.stack(
            [
                ndimage.map_coordinates(image[:, :, n], places, order=order, mode=fill)
                for n in range(3)
            ],
            axis=2,
        )[:, ::-1]
        assert np.abs(moved(image, motion, fill, order) - wanted).max() < 1e-3


def test_units_of_the_ranges():
    """0.2 degrees move a corner of 512 px by less than a pixel; a shift of 0.05 is 5 % of that
    side, one of 3 is 3 pixels; zoom is drawn per axis.
    """
    drawn = [
        Paired(rotation=0.2, height_shift=0.05, width_shift=3, shear=5, zoom=0.1).draw(
            512, 256, RNG(n)
        )
        for n in range(2000)
    ]
    for name, most in (("rotation", 0.2), ("down", 25.6), ("right", 3), ("shear", 5)):
        values = np.array([getattr(motion, name) for motion in drawn])
        assert -most <= values.min() < -0.97 * most
        assert most >= values.max() > 0.97 * most
    zooms = np.array([(motion.zoom_rows, motion.zoom_columns) for motion in drawn])
    assert 0.9 <= zooms.min() < 0.91
    assert 1.09 < zooms.max() <= 1.1
    assert abs(np.corrcoef(zooms.T)[0, 1]) < 0.1
    assert not any(motion.mirrored or motion.flipped for motion in drawn)
    assert {Paired(zoom=(1.5, 1.5)).draw(5, 5, RNG(n)).zoom_rows for n in range(5)} == {1.5}
    both = [
        Paired(horizontal_flip=True, vertical_flip=True).draw(5, 5, RNG(n)) for n in range(2000)
    ]
    assert abs(np.mean([motion.mirrored for motion in both]) - 0.5) < 0.05
    assert abs(np.mean([motion.flipped for motion in both]) - 0.5) < 0.05


def test_one_parameter_leaves_the_draws_of_the_others():
    one, two = (
        Paired(rotation=10, shear=5).draw(9, 9, RNG(1)),
        Paired(rotation=10, zoom=0.5, shear=5, vertical_flip=True).draw(9, 9, RNG(1)),
    )
    assert (one.rotation, one.shear) == (two.rotation, two.shear)


@pytest.mark.parametrize("fill", ["nearest", "reflect", "constant"])
def test_image_and_mask_share_one_geometry(fill):
    """On ramps, bilinear gives the very coordinate, so the mask has to be its nearest whole number,
    at every pixel of 100 samples.
    """
    image, mask = ramps()
    step = Paired(
        rotation=30,
        height_shift=0.1,
        width_shift=0.2,
        shear=15,
        zoom=0.3,
        horizontal_flip=True,
        vertical_flip=True,
        fill=fill,
        label=255,
    )
    for seed in range(100):
        values, ids = step(image, mask, RNG(seed))
        inside = ids != 255
        inner = (
            inside & (values[:, :, 0] > 0.5) & (values[:, :, 0] < 58.5)
        )  # reflect repeats the edge pixel
        assert inner.sum() > 1000
        assert np.abs(values[:, :, 0] - ids)[inner].max() <= 0.5 + 1e-4
        assert not inside.all() if fill == "constant" else inside.all()


def test_a_mask_keeps_its_ids_and_constant_gives_255():
    mask = np.where(RNG(0).random((64, 64)) < 0.3, 1, 0).astype(np.uint8)
    image = np.repeat(mask[:, :, None] * np.uint8(255), 3, axis=2)
    for seed in range(20):
        for fill, ids in (
            ("reflect", {0, 1}),
            ("wrap", {0, 1}),
            ("nearest", {0, 1}),
            ("constant", {0, 1, 255}),
        ):
            assert (
                set(
                    np.unique(
                        Paired(40, 0.2, 0.2, 20, 0.3, True, True, fill)(image, mask, RNG(seed))[1]
                    )
                )
                <= ids
            )


def test_nothing_asked_for_is_nothing_done():
    for image in (picture(), picture().astype(np.uint16) * 257, picture().astype(np.float32) / 255):
        mask = np.zeros((40, 56), np.uint8)
        values, ids = Paired()(image, mask, RNG(0))
        assert values.dtype == image.dtype
        assert np.array_equal(values, image)
        assert np.array_equal(ids, mask)


@pytest.mark.parametrize("size", [(1, 1), (1, 99), (999, 1), (2, 3)])
@pytest.mark.parametrize("fill", ["nearest", "reflect", "constant", "wrap"])
def test_tiny_images(size, fill):
    image, mask = Paired(30, 0.1, 2, 20, 0.3, True, True, fill)(
        np.full((*size, 3), 9, np.uint8), np.ones(size, np.uint8), RNG(3)
    )
    assert image.shape == (*size, 3)
    assert mask.shape == size


@pytest.mark.parametrize(
    "wrong",
    [
        {"rotation": -1},
        {"rotation": "20"},
        {"shear": 90},
        {"zoom": 1.5},
        {"zoom": (1.2, 0.8)},
        {"zoom": (0, 1)},
        {"zoom": "a"},
        {"fill": "mirror"},
        {"width_shift": float("nan")},
        {"height_shift": -0.1},
        {"label": 256},
        {"rotation": True},
    ],
)
def test_parameters_that_make_no_sense(wrong):
    with pytest.raises(UsageError, match=next(iter(wrong))) as error:
        Paired(**wrong)
    assert error.value.code == "bad-option"
