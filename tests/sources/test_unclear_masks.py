"""What `convert auto` says where images and masks pair, but no format takes the masks."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import segprep
from segprep import sources
from segprep.errors import UsageError
from segprep.sources._common.pairing import matching

TILES = ("images/1.jpgpatch_{}.jpg", "masks/1.pngpatch_{}.png")


def lay_out(root: Path, masks: list[NDArray[np.uint8]], names: tuple[str, str] = TILES) -> Path:
    """One photograph per mask, called as *names* say."""
    for number, mask in enumerate(masks):
        for name, array in zip(
            names, (np.zeros((*mask.shape[:2], 3), np.uint8), mask), strict=True
        ):
            path = root / name.format(f"{number:02}")
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(array).save(path)
    return root


def half(*, white: bool = True, smeared: bool = False) -> NDArray[np.uint8]:
    """A black mask, (32, 32): 8 rows of it white, 4 of them of all grays between."""
    mask = np.zeros((32, 32), np.uint8)
    mask[:8] = 255 * white
    if smeared:
        mask[8:12] = 1 + np.arange(128).reshape(4, 32) * 2 % 254
    return mask


def refused(root: Path) -> UsageError:
    with pytest.raises(UsageError) as caught:
        sources.recognize(root)
    assert caught.value.code == "format-unclear"
    return caught.value


@pytest.mark.parametrize("channels", [1, 3])
def test_smeared_black_and_white_masks_are_told_with_counts(tmp_path: Path, channels: int) -> None:
    masks = [half(white=False), half(smeared=True), half(smeared=True)]
    if channels == 3:
        masks = [np.repeat(mask[..., None], 3, 2) for mask in masks]
    error = refused(lay_out(tmp_path, masks))
    assert "images/ and masks/ pair, but the 3 masks that were tried" in error.message
    assert "129 values: 0 (2304 px), 255 (512 px)" in error.message
    assert "6.2% of their pixels are neither dark nor light" in error.message
    assert "segprep convert binary SRC OUT --images images --masks masks --foreground" in error.hint


def test_gray_photographs_in_the_mask_folder_are_no_black_and_white(tmp_path: Path) -> None:
    ramp = np.tile(np.arange(256, dtype=np.uint8), (8, 1))
    error = refused(lay_out(tmp_path, [ramp, ramp]))
    assert "hold 256 values: " in error.message
    assert "smoothed" in error.hint
    assert "binary" not in error.hint


@pytest.mark.parametrize("names", [TILES, ("{}.jpg", "{}.png"), ("x.jpgt_{}.jpg", "x.pngt_{}.png")])
def test_an_all_black_mask_does_not_hide_the_format(tmp_path: Path, names: tuple[str, str]) -> None:
    """Most sets have images without the object."""
    root = lay_out(tmp_path, [half(white=False), half(), half(white=False)], names)
    assert sources.recognize(root)[0] == "binary"


def test_a_palette_of_0_and_255_is_no_smeared_black_and_white(tmp_path: Path) -> None:
    """Public masks of subsidence: 255 is the object, in the colors of VOC; binary reads no such."""
    root = lay_out(tmp_path / "in", [half(), half()])
    for path in (root / "masks").iterdir():
        with Image.open(path) as picture:
            mask = Image.frombytes("P", picture.size, picture.tobytes())
        mask.putpalette([0, 0, 0] * 255 + [224, 224, 192])
        mask.save(path)
    error = refused(root)
    assert "255 (512 px) may be a class, or ignored" in error.message
    assert "pairs SRC OUT --images images --masks masks --ids 0=_background_,255=" in error.hint
    assert "binary" not in error.hint
    out = tmp_path / "out"
    segprep.convert("pairs", root, out, ids="0=_background_,255=cell")
    assert segprep.read_mask(out / "SegmentationClass/1.jpgpatch_00.png").sum() == 8 * 32


def test_masks_that_are_all_black_are_said_to_be(tmp_path: Path) -> None:
    error = refused(lay_out(tmp_path, [half(white=False)] * 2))
    assert "the 2 masks that were tried, 1.pngpatch_00.png first, are all 0" in error.message


def test_too_many_colors_outrank_numbered_names_and_boxes(tmp_path: Path) -> None:
    """A public set: masks resized with smoothing, and YOLO boxes beside them."""
    colors = np.zeros((40, 40, 3), np.uint8)
    rows, columns = np.indices((20, 40), np.uint8)
    colors[20:] = np.stack([rows, columns, rows], 2) + 1
    root = lay_out(tmp_path, [colors, colors], ("images/{}.jpg", "masks/{}.png"))
    (root / "labels").mkdir()
    (root / "labels/00.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    error = refused(root)
    told, guess = error.message.split("; at best it could be read as isbi")
    assert "images/ and masks/ pair, but 00.png holds 801 colors, too many for classes" in told
    assert ": 0,0,0 (800 px), 1,1,1 (1 px), " in told
    assert "numbered" in guess
    assert "--unknown nearest" in error.hint
    assert "segprep convert isbi" in error.hint


def test_boxes_are_told_where_no_masks_pair(tmp_path: Path) -> None:
    lay_out(tmp_path, [half()], ("images/{}.jpg", "images/{}.png"))
    (tmp_path / "images/00.png").unlink()
    (tmp_path / "00.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    assert "YOLO box label" in refused(tmp_path).message


def test_masks_that_are_not_empty_are_looked_at_in_large_sets(tmp_path: Path) -> None:
    """Of 40 masks, the only two with an object are the last but one and the tenth."""
    masks = [half(white=n in (9, 38)) for n in range(40)]
    root = lay_out(tmp_path, masks, ("images/{}.jpg", "masks/{}.png"))
    assert sources.recognize(root)[0] == "binary"


def test_smeared_black_and_white_in_a_tree_names_the_format(tmp_path: Path) -> None:
    names = ("JPEGImages/{}.jpg", "SegmentationClass/{}.png")
    root = lay_out(tmp_path / "in", [half(smeared=True)] * 3, names)
    with pytest.raises(UsageError) as caught:
        segprep.convert("voc", root, tmp_path / "out")
    assert "segprep convert binary SRC OUT --foreground" in caught.value.hint


def test_a_mask_that_links_to_itself_stops_no_detection(tmp_path: Path) -> None:
    for stem in ("a", "b", "c"):
        for folder in ("images", "masks"):
            (tmp_path / folder).mkdir(exist_ok=True)
            Image.new("L", (8, 6), 1).save(tmp_path / folder / f"{stem}.png")
    (tmp_path / "masks" / "b.png").unlink()
    (tmp_path / "masks" / "b.png").symlink_to("b.png")
    glimpse = matching.glimpse(tmp_path)
    assert glimpse is not None
    assert tmp_path / "masks" / "a.png" in glimpse[1]


def test_of_several_pairs_of_folders_the_hint_names_none(tmp_path: Path) -> None:
    for name in ("train", "val"):
        lay_out(tmp_path / name, [half(smeared=True)], (f"images/{name}{{}}.jpg", TILES[1]))
        (tmp_path / name / "masks/1.pngpatch_00.png").rename(
            tmp_path / name / f"masks/{name}00.png"
        )
    assert "segprep convert binary SRC OUT --foreground light|dark" in refused(tmp_path).hint


def test_cut_outs_in_the_mask_folder_are_told(tmp_path: Path) -> None:
    """What an eraser of backgrounds writes: the photograph, transparent beside the object."""
    cut = np.random.default_rng(1).integers(0, 256, (32, 32, 4), np.uint8)
    cut[..., 3] = 0
    cut[8:20, 8:20, 3] = 255
    error = refused(lay_out(tmp_path, [cut, cut]))
    assert "1.pngpatch_00.png is a picture whose alpha channel hides a part of it" in error.message
    assert f"segprep convert alpha {tmp_path}/masks OUT" in error.hint
