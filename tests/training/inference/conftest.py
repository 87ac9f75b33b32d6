"""Photographs to predict."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    rng = np.random.default_rng(3)
    for n, (name, size) in enumerate(
        (("a.png", (40, 61)), ("b.jpg", (64, 64)), ("sub/c.png", (33, 20)))
    ):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 80 * (n + 1), (*size, 3), dtype=np.uint8)).save(path)
    return tmp_path / "photos"
