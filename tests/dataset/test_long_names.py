"""A file name as long as the file system takes: other extensions of it would be too long."""

from pathlib import Path

import numpy as np
from PIL import Image

import segprep

NAME = f"{'n' * 251}.png"  # 255 bytes


def test_the_longest_name_of_all(tmp_path: Path) -> None:
    for folder in ("JPEGImages", "SegmentationClass"):
        (tmp_path / "in" / folder).mkdir(parents=True)
        for name in ("a.png", NAME):
            Image.fromarray(np.eye(8, dtype=np.uint8)).save(tmp_path / "in" / folder / name)
    assert segprep.info(tmp_path / "in").images == 2
    assert segprep.stats(tmp_path / "in").images == 2
    assert sum(segprep.split(tmp_path / "in", dry_run=True).counts.values()) == 2
