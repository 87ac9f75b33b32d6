"""A tiny dataset that a network can learn, and one thread, so that tests do not disturb."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segprep.imaging.image import write_mask


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def disc(rng: np.random.Generator, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """A noisy dark picture with a bright disc, and its mask."""
    radius = rng.integers(6, 11)
    row, column = rng.integers(radius, height - radius), rng.integers(radius, width - radius)
    inside = (np.arange(height)[:, None] - row) ** 2 + (
        np.arange(width)[None] - column
    ) ** 2 <= radius**2
    picture = rng.integers(20, 60, (height, width, 3)) + 120 * inside[..., None]
    return picture.astype(np.uint8), inside.astype(np.uint8)


@pytest.fixture
def discs(tmp_path: Path) -> Callable[..., Path]:
    """Make a tree of *count* images; *spoil* changes each mask; with lists if *listed*."""

    def make(
        count: int = 16,
        name: str = "tree",
        spoil: Callable[[np.ndarray, int], np.ndarray] | None = None,
        *,
        listed: bool = True,
    ) -> Path:
        root, rng = tmp_path / name, np.random.default_rng(5)
        for folder in ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation"):
            (root / folder).mkdir(parents=True, exist_ok=True)
        (root / "class_names.txt").write_text("_background_\ndisc\n")
        for n in range(count):
            picture, mask = disc(rng, 44, 48 + n % 3)
            Image.fromarray(picture).save(root / f"JPEGImages/i{n}.png")
            write_mask(root / f"SegmentationClass/i{n}.png", spoil(mask, n) if spoil else mask)
        if listed:
            cut = max(1, count * 3 // 4)
            for part, numbers in (("train", range(cut)), ("val", range(cut, count))):
                (root / f"ImageSets/Segmentation/{part}.txt").write_text(
                    "".join(f"i{n}\n" for n in numbers)
                )
        return root

    return make
