"""Prediction: any size, the image's own size back, tiles as good as the whole."""

import numpy as np
import pytest
import torch
from torch import nn

from segprep.training.data.pairs import ImagePair, InputSpec, scaled
from segprep.training.inference.tiles import net_of, probabilities
from segprep.training.logits import likeliest, mask_of

VIEW = InputSpec(32, 1.0, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


class Bright(nn.Module):
    """Class 1 where the image is brighter than a half."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        gray = images.mean(1, keepdim=True)
        return torch.cat([0.5 - gray, gray - 0.5], 1) * 20


def predicted(network: nn.Module, pair: ImagePair, view: InputSpec) -> np.ndarray:
    return mask_of(probabilities(net_of(network, "ab", view), [pair.image])[0], pair.size)


def picture(height: int, width: int) -> ImagePair:
    image = np.zeros((height, width, 3), np.uint8)
    image[height // 4 : height // 2, width // 3 : 2 * width // 3] = 255
    return ImagePair("a", image, (image[:, :, 0] > 0).astype(np.uint8), (height, width))


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


def test_likeliest_is_argmax_with_the_first_of_equals() -> None:
    values = torch.rand(5, 30, 20, generator=torch.Generator().manual_seed(0))
    values[3] = values[1]
    assert np.array_equal(likeliest(values), values.numpy().argmax(0))
    assert mask_of(values, (60, 40)).shape == (60, 40)
