"""Index masks whose palettes are in other orders are refused for every format that reads
indices.
"""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import segprep
from segprep.errors import UsageError

RED, GREEN, BLACK = (128, 0, 0), (0, 128, 0), (0, 0, 0)


def palette_file(path: Path, *colors: tuple[int, int, int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(np.array([[0, 1, 2]], np.uint8).repeat(3, 0), mode="P")
    picture.putpalette([part for color in colors for part in color])
    picture.save(path)


def lay_out(root: Path, images: str, masks: str, second: tuple[tuple[int, int, int], ...]) -> Path:
    for stem, colors in (("a", (BLACK, RED, GREEN)), ("b", second)):
        (root / images).mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (3, 3)).save(root / images / f"{stem}.jpg")
        palette_file(root / masks / f"{stem}.png", *colors)
    return root


FORMATS = {"pairs": ("images", "masks"), "voc": ("JPEGImages", "SegmentationClass")}


@pytest.mark.parametrize("format", FORMATS)
def test_another_order_is_refused(tmp_path: Path, format: str) -> None:
    root = lay_out(tmp_path / "in", *FORMATS[format], (BLACK, GREEN, RED))
    with pytest.raises(UsageError, match=r"has index 2 in a.png but 1 in b.png") as caught:
        segprep.convert(format, root, tmp_path / "out", classes="background,red,green")
    assert caught.value.code == "palette-ambiguous"
    assert "colormap" in caught.value.hint
    done = segprep.convert(
        format, root, tmp_path / "out", classes="background,red,green", palette="index"
    )
    assert done.converted == 2
    table = tmp_path / "table.txt"
    table.write_text("0 0 0 background\n128 0 0 red\n0 128 0 green\n")
    if format == "pairs":
        segprep.convert("colormap", root, tmp_path / "by_color", table=str(table))
        masks = tmp_path / "by_color/SegmentationClass"
        assert segprep.read_mask(masks / "a.png")[0].tolist() == [0, 1, 2]
        assert segprep.read_mask(masks / "b.png")[0].tolist() == [0, 2, 1]


@pytest.mark.parametrize("second", [(BLACK, RED, GREEN, (1, 2, 3)), (BLACK, RED, (9, 9, 9))])
def test_a_longer_palette_and_other_colors_are_no_contradiction(
    tmp_path: Path, second: tuple[tuple[int, int, int], ...]
) -> None:
    root = lay_out(tmp_path / "in", "images", "masks", second)
    assert segprep.convert("pairs", root, tmp_path / "out", classes="3").converted == 2


def test_colors_are_listed_as_a_table_that_works(tmp_path: Path) -> None:
    root = tmp_path / "in"
    for stem in "ab":
        for folder in ("images", "masks"):
            (root / folder).mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 3)).save(root / f"images/{stem}.jpg")
        mask = np.zeros((3, 4, 3), np.uint8)
        mask[:, 1], mask[0, 2] = (1, 2, 3), (64, 128, 64)
        Image.fromarray(mask).save(root / f"masks/{stem}.png")
    with pytest.raises(UsageError, match=r"0,0,0 \(16 px\), 1,2,3 \(6 px\)") as caught:
        segprep.convert("colormap", root, tmp_path / "out")
    table = caught.value.hint.split("'")[1]
    assert table == "0 0 0 background; 1 2 3 class_1; 64 128 64 Animal"
    done = segprep.convert("colormap", root, tmp_path / "out", table=table)
    assert done.classes == ("background", "class_1", "Animal")
    assert segprep.read_mask(tmp_path / "out/SegmentationClass/a.png")[0].tolist() == [0, 1, 2, 0]
