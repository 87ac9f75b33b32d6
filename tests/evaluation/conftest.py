"""Fixtures that the tests of this folder share."""

from pathlib import Path

import numpy as np
import pytest
from evaluation.miou_folders import Folders, save


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    """Six pairs of three classes, some pixels ignored; image n has n wrong pixels."""
    random = np.random.default_rng(3)
    for n in range(6):
        truth = np.sort(random.integers(0, 3, (8, 10)), axis=1).astype(np.uint8)
        pred = truth.copy()
        pred.flat[:n] = (pred.flat[:n] + 1) % 3
        truth[7, 8:] = 255
        save(tmp_path / f"truth/i{n}.png", truth)
        save(tmp_path / f"pred/i{n}.png", pred)
    return tmp_path / "truth", tmp_path / "pred"
