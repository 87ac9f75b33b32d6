"""Test-time augmentation: versions of an image, each turned back, and their mean."""

import numpy as np
import torch
from torch import Tensor
from training.inference.predicting import noise

from segprep.training.inference.averaging import (
    VERSIONS,
    _rotated,
    averaged,
    turned,
    turned_back,
)


def test_every_version_is_turned_back_to_where_it_was() -> None:
    image = noise(5, 8)
    for name, count in (("none", 1), ("flips", 4), ("rotations", 4), ("all", 8)):
        versions = VERSIONS[name]
        assert (
            len(
                {turned(image, one).tobytes() + bytes(turned(image, one).shape) for one in versions}
            )
            == count
        )
        for version in versions:
            back = turned_back(torch.from_numpy(turned(image, version)).permute(2, 0, 1), version)
            assert np.array_equal(back.permute(1, 2, 0).numpy(), image)


def test_averaging_is_the_mean_of_the_versions_each_turned_back() -> None:
    def right(images: list[np.ndarray]) -> list[Tensor]:
        """Class 1 the surer the farther right, whatever the picture shows."""
        shares = [torch.linspace(0, 1, one.shape[1]).expand(one.shape[0], -1) for one in images]
        return [torch.stack([1 - share, share]) for share in shares]

    def bright(images: list[np.ndarray]) -> list[Tensor]:
        return [
            torch.from_numpy(one.astype(np.float32) / 255).permute(2, 0, 1)[:2] for one in images
        ]

    image = noise(4, 6)
    assert torch.allclose(
        averaged(right, [image], "flips")[0], torch.full((2, 4, 6), 0.5), atol=1e-6
    )
    assert not torch.allclose(averaged(right, [image])[0], torch.full((2, 4, 6), 0.5))
    for name in ("none", "flips", "rotations", "all"):
        assert torch.allclose(averaged(bright, [image], name)[0], bright([image])[0], atol=1e-6)


def test_seven_rotations_come_back_to_where_they_were() -> None:
    rows, columns = np.mgrid[0:64, 0:90]
    inside = (rows - 20) ** 2 + (columns - 60) ** 2 < 144
    image = np.repeat(np.where(inside, 220, 30).astype(np.uint8)[..., None], 3, 2)
    assert np.array_equal(_rotated(image, 90, "mirror").shape, image.shape)
    square = image[:, :64]
    assert np.abs(_rotated(square.astype(float), 90, "mirror") - np.rot90(square)).max() < 1e-6
    seen = set[tuple[int, ...]]()

    def disc(images: list[np.ndarray]) -> list[Tensor]:
        """Where the picture is bright, which is elsewhere in each version."""
        seen.update(tuple(np.argwhere(one[..., 0] > 125).mean(0).astype(int)) for one in images)
        shares = [torch.from_numpy((one[..., 0] > 125).astype(np.float32)) for one in images]
        return [torch.stack([1 - share, share]) for share in shares]

    mean = averaged(disc, [image], "seven")[0]
    assert len(seen) == 7
    assert torch.allclose(mean.sum(0), torch.ones(64, 90), atol=1e-5)
    assert ((mean[1] > 0.5).numpy() != inside).mean() < 0.003  # of the disc's rim
    assert averaged(disc, [image], "none")[0].shape == mean.shape
