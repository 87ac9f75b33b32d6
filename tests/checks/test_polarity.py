"""Many inverted masks are told from images of two kinds."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import segprep


def animals(folder: Path, inverted: int, *, kinds: int) -> Path:
    """A tree of 40 pictures of animals on grass, of *kinds* colors: brighter or darker than the
    ground; the masks of the last *inverted* ones are. Colors vary so much that one picture says
    little.
    """
    rng = np.random.default_rng(6)
    for name in ("JPEGImages", "SegmentationClass"):
        (folder / name).mkdir(parents=True)
    rows, columns = np.mgrid[:80, :80]
    for number in range(40):
        row, column, tall, wide = rng.uniform((30, 30, 12, 14), (50, 50, 22, 26))
        mask = (((rows - row) / tall) ** 2 + ((columns - column) / wide) ** 2 < 1).astype(np.uint8)
        fur = (60, 45, 40) if number % kinds else (200, 190, 170)
        colors = np.where(mask[..., None], fur, (110, 140, 70)) + rng.normal(0, 25, 3)
        colors = (colors + rng.normal(0, 45, colors.shape)).clip(0, 255).astype(np.uint8)
        Image.fromarray(colors).save(folder / "JPEGImages" / f"a{number:02}.png")
        stored = 1 - mask if number >= 40 - inverted else mask
        segprep.write_mask(folder / "SegmentationClass" / f"a{number:02}.png", stored)
    (folder / "class_names.txt").write_text("_background_\nanimal\n")
    return folder


@pytest.mark.parametrize(("inverted", "kinds"), [(0, 1), (0, 2), (0, 4), (14, 1)])
def test_two_kinds_of_animals_are_no_inverted_masks(
    tmp_path: Path, inverted: int, kinds: int
) -> None:
    tree = animals(tmp_path / "tree", inverted, kinds=kinds)
    findings = segprep.check(tree, select=["SEG605"]).findings
    assert {one.stem for one in findings} == {f"a{n:02}" for n in range(40 - inverted, 40)}


def test_about_half_inverted_is_told_of_the_set(tmp_path: Path) -> None:
    tree = animals(tmp_path / "tree", 20, kinds=1)
    (finding,) = segprep.check(tree, select=["SEG605"]).findings
    assert finding.stem == ""
    assert "about half of the masks are inverted: in 20 of 40 (" in finding.message


def test_a_renumbered_palette_is_one_cause(tmp_path: Path) -> None:
    """The values of such a mask are others: that its classes look swapped follows from that."""
    tree = animals(tmp_path / "tree", 0, kinds=1)
    path = tree / "SegmentationClass" / "a07.png"
    picture = Image.fromarray(1 - segprep.read_mask(path))
    picture.putpalette([128, 0, 0, 0, 0, 0])
    picture.save(path)
    found = {one.code for one in segprep.check(tree).findings if one.stem == "a07"}
    assert found == {"SEG305"}
