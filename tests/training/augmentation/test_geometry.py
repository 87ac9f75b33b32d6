"""One geometry for image and mask; the mask keeps its values."""

import numpy as np
import pytest
import torch

from segprep.training.augmentation.geometry import Geometry, Light, draw, draw_light, lit, window

GRAY = np.full(3, 0.5, np.float32)


def marked(height: int = 60, width: int = 70) -> tuple[np.ndarray, np.ndarray]:
    """An image whose brightness is its mask: both have to move together."""
    mask = np.zeros((height, width), np.uint8)
    mask[10:40, 15:30], mask[30:55, 40:60] = 1, 2
    return np.repeat((mask * 100)[:, :, None], 3, axis=2), mask


def test_without_change_the_window_is_a_copy() -> None:
    image, mask = marked()
    values, cut = window(image, mask, Geometry(5 + 15.5, 8 + 15.5, 32), GRAY)
    assert np.array_equal(cut, mask[5:37, 8:40])
    assert torch.equal(
        values, torch.from_numpy(image[5:37, 8:40].astype(np.float32)).permute(2, 0, 1) / 255
    )


@pytest.mark.parametrize("angle", [90.0, 180.0, 270.0])
@pytest.mark.parametrize("mirrored", [False, True])
def test_quarter_turns_and_mirrors_are_exact(angle: float, mirrored: bool) -> None:
    image, mask = marked()
    values, cut = window(image, mask, Geometry(20.5, 30.5, 32, angle, 1.0, mirrored), GRAY)
    assert torch.equal(values[0], torch.from_numpy(cut.astype(np.float32) * 100) / 255)
    straight = mask[5:37, 15:47]
    variants = [np.rot90(one, turns) for one in (straight, straight[:, ::-1]) for turns in range(4)]
    assert any(np.array_equal(cut, one) for one in variants)


def test_image_and_mask_share_every_geometry() -> None:
    image, mask = marked()
    rng = np.random.default_rng(0)
    for _ in range(100):
        values, cut = window(image, mask, draw(28.0, 36.0, 32, rng), GRAY)
        inside = cut != 255
        assert set(np.unique(cut)) <= {0, 1, 2, 255}
        error = (values[0].numpy() * 2.55 - cut)[inside]
        assert (
            np.mean(np.abs(error) > 1.01) < 0.005
        )  # bilinear and nearest may differ by one class at borders, by more at corners only


def test_beyond_the_image_is_padding_and_ignored() -> None:
    image, mask = marked()
    values, cut = window(image, mask, Geometry(0.0, 0.0, 32), GRAY)
    assert (cut[:15, :15] == 255).all()
    assert torch.allclose(values[:, :15, :15], torch.tensor(0.5))


def test_light_changes_leave_the_input_alone_and_are_seeded() -> None:
    image, mask = marked()
    before = image.copy()
    lights = [draw_light(np.random.default_rng(seed)) for seed in (1, 1, 2)]
    one, same, other = (
        window(image, mask, Geometry(20.5, 30.5, 32), GRAY, light)[0] for light in lights
    )
    assert np.array_equal(image, before)
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


@pytest.mark.parametrize(
    ("dtype", "brightest"), [(np.uint8, 255.0), (np.uint16, 65535.0), (np.float32, 1.0)]
)
def test_light_is_the_same_for_every_kind_of_number(dtype: type, brightest: float) -> None:
    image = (np.linspace(0, 1, 48).reshape(4, 4, 3) * brightest).astype(dtype)
    expected = (image.astype(np.float64) / brightest) ** 0.8 * 1.2 + 0.1
    assert np.allclose(lit(image, Light(1.2, 0.1, 0.8)), expected, atol=1e-6)


def test_without_color_all_channels_are_equal() -> None:
    image, mask = (
        np.random.default_rng(0).integers(0, 255, (40, 40, 3)).astype(np.uint8),
        np.zeros((40, 40), np.uint8),
    )
    for geometry in (Geometry(20.5, 20.5, 16), Geometry(20.5, 20.5, 16, 10.0, 1.1)):
        values, _ = window(image, mask, geometry, GRAY, Light(gray=True))
        assert torch.equal(values[0], values[1])
        assert torch.equal(values[0], values[2])


def test_copies_equal_samples() -> None:
    image, mask = marked()
    for row, column in ((20.5, 30.5), (3.5, 2.5), (70.5, 80.5), (200.5, 9.5)):
        for angle in (0.0, 90.0, 180.0, 270.0):
            for mirrored in (False, True):
                copied = window(image, mask, Geometry(row, column, 32, angle, 1.0, mirrored), GRAY)
                near = Geometry(row, column, 32, angle, 1.0 + 1e-12, mirrored)
                sampled = window(image, mask, near, GRAY)
                assert np.array_equal(copied[1], sampled[1])
                assert torch.allclose(copied[0], sampled[0], atol=1e-3)
