"""Fixtures that the tests of this folder share."""

from pathlib import Path

import pytest

import segprep


@pytest.fixture
def ours(source: Path, tmp_path: Path) -> Path:
    """Twelve samples of background, cat, cow, dog with objects, lists and a split record."""
    segprep.convert("labelme", source, tmp_path / "ours", objects=True)
    segprep.split(tmp_path / "ours", seed=3)
    return tmp_path / "ours"
