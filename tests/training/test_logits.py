"""Prediction: any size, the image's own size back, tiles as good as the whole."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from segprep.training import logits
from segprep.training.data.pairs import InputSpec, LabeledImage, scaled
from segprep.training.logits import likeliest, mask_of, predicted, probabilities

VIEW = InputSpec(32, 1.0, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


class Bright(nn.Module):
    """Class 1 where the image is brighter than a half."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        gray = images.mean(1, keepdim=True)
        return torch.cat([0.5 - gray, gray - 0.5], 1) * 20


def picture(height: int, width: int) -> LabeledImage:
    image = np.zeros((height, width, 3), np.uint8)
    image[height // 4 : height // 2, width // 3 : 2 * width // 3] = 255
    return LabeledImage("a", image, (image[:, :, 0] > 0).astype(np.uint8), (height, width))


@pytest.mark.parametrize("size", [(1, 1), (20, 70), (33, 65), (100, 41)])
def test_the_mask_has_the_images_own_size_and_place(size: tuple[int, int]) -> None:
    pair = picture(*size)
    found = predicted(Bright(), pair, VIEW)
    assert found.dtype == np.uint8
    assert np.array_equal(found, pair.mask)


@pytest.mark.parametrize("scale", [0.5, None])
def test_scaled_and_letterboxed_images_come_back_to_a_pixel(scale: float | None) -> None:
    view = InputSpec(64, scale, VIEW.mean, VIEW.std)
    pair = picture(96, 121)
    found = predicted(Bright(), scaled(pair, view), view)
    assert found.shape == pair.mask.shape
    inside, outside = found[26:46, 43:78], found.copy()
    outside[22:50, 38:83] = 0
    assert inside.all()
    assert not outside.any()


def test_tiles_equal_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    from segprep.training.models import unet

    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 4, 5, padding=2), nn.ReLU(), nn.Conv2d(4, 2, 5, padding=2)
    ).eval()
    image = np.random.default_rng(0).integers(0, 255, (150, 201, 3)).astype(np.uint8)
    whole = probabilities(network, image, VIEW)
    monkeypatch.setattr(logits, "TILE", 96)
    monkeypatch.setattr(logits, "MARGIN", 16)
    assert torch.allclose(probabilities(network, image, VIEW), whole, atol=1e-6)
    assert probabilities(unet.build(base=2).eval(), image, VIEW).shape == (2, 150, 201)


@pytest.mark.parametrize("side", [512, 513, 600, 928, 929, 5000])
def test_cuts_cover_every_pixel_once_and_keep_their_margin(side: int) -> None:
    cuts = logits._cuts(side)
    assert cuts[0][1] == 0
    assert cuts[-1][2] == side
    assert all(before[2] == after[1] for before, after in pairwise(cuts))
    for start, first, last in cuts:
        assert start <= first < last <= start + logits.TILE
        assert start + logits.TILE <= max(side, logits.TILE)
        assert first == 0 or first - start >= logits.MARGIN
        assert last == side or start + logits.TILE - last >= logits.MARGIN


def test_likeliest_is_argmax_with_the_first_of_equals() -> None:
    values = torch.rand(5, 30, 20, generator=torch.Generator().manual_seed(0))
    values[3] = values[1]
    assert np.array_equal(likeliest(values), values.numpy().argmax(0))
    assert mask_of(values, (60, 40)).shape == (60, 40)
