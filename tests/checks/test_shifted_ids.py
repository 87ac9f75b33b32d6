"""A single mask whose ids count from 1, in a list that has room for them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import segprep

COLORS = np.array([(60, 130, 60), (200, 60, 50), (60, 70, 200), (230, 220, 80)])


def fruits(folder: Path, *, spoiled: bool, full: bool = False) -> Path:
    """A tree of 30 pictures of three kinds of things on grass; the mask of the fifth counts from 1
    if *spoiled*. *full*: the sixth shows things only.
    """
    rng = np.random.default_rng(2)
    for name in ("JPEGImages", "SegmentationClass"):
        (folder / name).mkdir(parents=True)
    for number in range(30):
        mask = np.full((64, 64), int(full and number == 5), np.uint8)
        row, column = rng.integers(2, 30, 2)
        mask[row : row + 23, column : column + 25] = 2
        if number % 2:
            mask[41:60, 31:60] = 3
        elif number != 4:
            mask[41:60, 3:30] = 1
        pixels = (COLORS[mask] + rng.normal(0, 20, (64, 64, 3))).clip(0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / "JPEGImages" / f"f{number:02}.png")
        stored = mask + 1 if spoiled and number == 4 else mask
        segprep.write_mask(folder / "SegmentationClass" / f"f{number:02}.png", stored)
    (folder / "class_names.txt").write_text("_background_\napple\nplum\nlemon\n")
    return folder


@pytest.mark.parametrize("full", [False, True])
def test_one_mask_that_counts_from_1_is_told_by_its_colors(full: bool, tmp_path: Path) -> None:
    tree = fruits(tmp_path / "tree", spoiled=True, full=full)
    findings = [one for one in segprep.check(tree).findings if one.severity != "info"]
    assert [(one.code, one.severity, one.stem) for one in findings] == [
        ("SEG310", "warning", "f04")
    ]


@pytest.mark.parametrize("full", [False, True])
def test_a_picture_without_background_is_none(full: bool, tmp_path: Path) -> None:
    tree = fruits(tmp_path / "tree", spoiled=False, full=full)
    assert not [one for one in segprep.check(tree).findings if one.severity != "info"]
