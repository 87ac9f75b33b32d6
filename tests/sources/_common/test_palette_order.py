"""Index masks whose palettes are in other orders are refused for every format that reads
indices.
"""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import segprep
from segprep.errors import UsageError
from segprep.sources._common.classes import palette_order

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


def test_the_hint_has_a_table_to_paste(tmp_path: Path) -> None:
    root = lay_out(tmp_path / "in", "images", "masks", (BLACK, GREEN, RED))
    with pytest.raises(UsageError) as caught:
        segprep.convert("pairs", root, tmp_path / "out", classes="background,red,green")
    table = caught.value.hint.split("'")[1]
    done = segprep.convert("colormap", root, tmp_path / "by_color", table=table)
    assert len(done.classes) == 3
    masks = tmp_path / "by_color/SegmentationClass"
    first, second = (segprep.read_mask(masks / f"{stem}.png")[0].tolist() for stem in "ab")
    assert first == [second[0], second[2], second[1]]


@pytest.mark.parametrize("suffix", [".bmp", ".tif"])
def test_other_files_of_indices(tmp_path: Path, suffix: str) -> None:
    root = lay_out(tmp_path / "in", "images", "masks", (BLACK, GREEN, RED))
    for path in sorted((root / "masks").iterdir()):
        with Image.open(path) as picture:
            picture.save(path.with_suffix(suffix))
        path.unlink()
    with pytest.raises(UsageError) as caught:
        segprep.convert("pairs", root, tmp_path / "out", classes="background,red,green")
    assert caught.value.code == "palette-ambiguous"


def test_formats_of_published_ids(tmp_path: Path) -> None:
    """Trimaps and label ids that someone saved with palettes of their own."""
    pet = lay_out(tmp_path / "pet", "images", "annotations/trimaps", (BLACK, GREEN, RED))
    city = tmp_path / "city"
    lay_out(city, "leftImg8bit/train/ulm", "gtFine/train/ulm", (BLACK, GREEN, RED))
    for path in [*city.rglob("*.jpg"), *city.rglob("*.png")]:
        kind = "leftImg8bit.png" if path.suffix == ".jpg" else "gtFine_labelIds.png"
        name = f"ulm_{'ab'.index(path.stem):06}_000019_{kind}"
        with Image.open(path) as picture:
            picture.save(path.with_name(name))
        path.unlink()
    for format, root in (("pet", pet), ("cityscapes", city)):
        with pytest.raises(UsageError) as caught:
            segprep.convert(format, root, tmp_path / "out")
        assert (caught.value.code, "--palette" in caught.value.hint) == ("palette-ambiguous", False)


def test_gifs_of_colors(tmp_path: Path) -> None:
    """A writer of GIFs orders the colors by itself; of grays the file itself tells."""
    root = lay_out(tmp_path / "in", "images", "masks", (BLACK, GREEN, RED))
    for path in sorted((root / "masks").iterdir()):
        with Image.open(path) as picture:
            picture.save(path.with_suffix(".gif"))
        path.unlink()
    with pytest.raises(UsageError, match=r"in a.gif but \d in b.gif") as caught:
        segprep.convert("pairs", root, tmp_path / "out", classes="background,red,green")
    table = caught.value.hint.split("'")[1]
    done = segprep.convert("colormap", root, tmp_path / "out", table=table)
    masks = [segprep.read_mask(tmp_path / f"out/SegmentationClass/{stem}.png") for stem in "ab"]
    assert (done.converted, masks[0][0].tolist()) == (2, [0, *masks[1][0, [2, 1]].tolist()])


def test_one_file_of_many(tmp_path: Path) -> None:
    root = tmp_path / "masks"
    for number in range(401):
        palette_file(root / f"{number}.png", BLACK, RED, GREEN)
    paths = sorted(root.iterdir())
    palette_order.check(paths, (root,))
    palette_file(paths[399], BLACK, GREEN, RED)
    with pytest.raises(UsageError, match=f"but 1 in {paths[399].name}"):
        palette_order.check(paths, (root,))


def test_a_remapped_tree_of_another_tool(tmp_path: Path) -> None:
    root = lay_out(tmp_path / "in", *FORMATS["voc"], (BLACK, GREEN, RED))
    with pytest.raises(UsageError, match="different orders") as caught:
        segprep.remap(root, tmp_path / "out", map=("1=2",))
    assert "convert voc --palette index" in caught.value.hint
    segprep.convert("voc", root, tmp_path / "ours", palette="index")
    assert segprep.remap(tmp_path / "ours", tmp_path / "out", map=("class_1=class_2",))


def test_one_color_twice_in_a_palette_says_nothing(tmp_path: Path) -> None:
    root = lay_out(tmp_path / "in", "images", "masks", (BLACK, RED, RED))
    assert segprep.convert("pairs", root, tmp_path / "out", classes="3").converted == 2
