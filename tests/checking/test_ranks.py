"""Masks of other images fit worse than an image's own, unless they were mixed up."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import segprep
from segprep.checking import ranks
from segprep.checks._common import fit


def radiographs(folder: Path, count: int, step: int, contrast: int = 40) -> Path:
    """A tree of soft pictures of two lungs, at nearly the same places in all; the masks are those
    *step* pictures further on.
    """
    rng = np.random.default_rng(3)
    for name in ("JPEGImages", "SegmentationClass"):
        (folder / name).mkdir(parents=True)
    rows, columns = np.mgrid[:96, :96]
    pictures, masks = [], []
    for _ in range(count):
        mask = np.zeros((96, 96), np.uint8)
        for middle in (28, 68):
            down, right, tall, wide = rng.normal((48, middle, 26, 12), (4, 3, 3, 2))
            mask[((rows - down) / tall) ** 2 + ((columns - right) / wide) ** 2 < 1] = 1
        light = 150.0 - contrast * mask - 0.3 * abs(columns - 48) + rng.normal(0, 18, mask.shape)
        light[:8, ::6] = 250  # writing, which has the sharpest edges
        pictures.append(Image.fromarray(light.clip(0, 255).astype(np.uint8)))
        masks.append(mask)
    for number, picture in enumerate(pictures):
        picture.save(folder / "JPEGImages" / f"x{number:02}.png")
        mask = masks[(number + step) % count]
        segprep.write_mask(folder / "SegmentationClass" / f"x{number:02}.png", mask)
    return folder


@pytest.mark.parametrize("step", [0, 7])
def test_mixed_up_masks_are_told_where_all_lie_at_the_same_place(step: int, tmp_path: Path) -> None:
    findings = segprep.check(radiographs(tmp_path / "x", 40, step), select=["SEG604"]).findings
    assert [one.message.split(":")[0] for one in findings] == ["the masks look unrelated"] * (
        step > 0
    )


def test_masks_that_fit_well_are_not_read_again(tmp_path: Path) -> None:
    tree = radiographs(tmp_path / "x", 16, 0, contrast=140)
    seen = segprep.checking.measured(segprep.checking.survey(tree))
    assert seen.own is None
    few = ranks.ranked(seen.pairs[: fit.LEAST - 1], (tree,))
    assert few is None


def test_masks_that_are_all_alike_are_not_said_to_be_mixed_up() -> None:
    rng = np.random.default_rng(1)
    mask = np.zeros((64, 64), np.uint8)
    mask[20:40, 20:40] = 1
    shorts = [
        ranks._short(rng.integers(0, 255, (64, 64, 3)).astype(np.uint8), mask) for _ in range(14)
    ]
    assert ranks._share(shorts) == 1.0
