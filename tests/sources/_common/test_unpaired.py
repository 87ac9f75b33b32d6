"""Folders that look like images and masks and that no format takes: the reason, and a way out that
works.
"""

import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import segprep
from segprep.errors import BadInputError, SegprepError, UsageError
from segprep.types import Skipped

IDS = np.zeros((16, 16), np.uint8)
IDS[2:9, 3:9], IDS[9:, 9:] = 1, 2


def lay_out(root: Path, images: list[str], masks: list[str], mask: np.ndarray = IDS) -> Path:
    """Images and masks of the given names, which say the format."""
    for name in images:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (16, 16), (7, 70, 170)).save(root / name)
    for name in masks:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(mask).save(root / name)
    return root


def refused(root: Path, out: Path, **options: Any) -> SegprepError:
    with pytest.raises(SegprepError) as caught:
        segprep.convert("auto", root, out, **options)
    return caught.value


def skipped(error: BadInputError) -> list[Skipped]:
    return [skip for skip in error.skipped if isinstance(skip, Skipped)]


def stated_pairs(hint: str) -> str:
    return shlex.split(hint)[-1]


def test_names_that_do_not_pair_are_told_as_a_pattern(tmp_path: Path) -> None:
    root = lay_out(
        tmp_path / "in",
        [f"images/cam_{n}_2020.jpg" for n in range(3)],
        [f"masks/label_{n}_2020.png" for n in range(3)],
    )
    error = refused(root, tmp_path / "out")
    assert "their names do not pair: cam_0_2020.jpg and label_0_2020.png" in error.message
    done = segprep.convert("pairs", root, tmp_path / "out", pair=stated_pairs(error.hint))
    assert done.converted == 3
    shifted = lay_out(
        tmp_path / "shifted",
        [f"images/img{n}.jpg" for n in range(3)],
        [f"masks/mask{n + 1}.png" for n in range(3)],
    )
    assert "images/img{stem}" not in refused(shifted, tmp_path / "out2").hint


def test_a_table_of_pairs_is_named(tmp_path: Path) -> None:
    root = lay_out(tmp_path / "in", ["a/p.jpg", "a/q.jpg"], ["b/1.png", "b/2.png"])
    (root / "list.csv").write_text("image;mask\na/p.jpg;b/2.png\na/q.jpg;b/1.png\n")
    error = refused(root, tmp_path / "out")
    done = segprep.convert("pairs", root, tmp_path / "out", pair=stated_pairs(error.hint))
    assert done.converted == 2


def test_masks_that_no_format_takes(tmp_path: Path) -> None:
    names = ["images/p.jpg", "images/q.jpg"], ["masks/p.png", "masks/q.png"]
    black = lay_out(tmp_path / "black", *names, mask=IDS * 0)
    assert "the 2 masks that were tried, p.png first, are all 0" in refused(black, tmp_path).message
    jp2 = lay_out(tmp_path / "jp2", *names)
    for path in (jp2 / "masks").iterdir():
        path.rename(path.with_suffix(".jp2"))
    assert "holds 2 JPEG 2000 pictures" in refused(jp2, tmp_path).message


@pytest.mark.parametrize(
    ("suffix", "options", "lossy"),
    [
        (".webp", {"quality": 60}, "lossy WebP"),
        (".webp", {"lossless": True}, ""),
        (".tif", {"compression": "jpeg"}, "JPEG-compressed TIFF"),
        (".tif", {"compression": "tiff_lzw"}, ""),
        (".jpg", {}, "JPEG"),
    ],
)
def test_lossy_masks_of_ids(
    tmp_path: Path, suffix: str, options: dict[str, Any], lossy: str
) -> None:
    root = lay_out(tmp_path / "in", ["images/p.png"], [])
    (root / "masks").mkdir()
    mask = IDS[..., None].repeat(3, 2) if suffix == ".webp" else IDS
    Image.fromarray(mask).save(root / f"masks/p{suffix}", **options)
    if not lossy:
        segprep.convert("pairs", root, tmp_path / "out", classes="3")
        assert (segprep.read_mask(tmp_path / "out/SegmentationClass/p.png") == IDS).all()
        return
    with pytest.raises(BadInputError) as caught:
        segprep.convert("pairs", root, tmp_path / "out", classes="9")
    assert [skip.reason.split(" file")[0] for skip in skipped(caught.value)] == [f"is a {lossy}"]


def test_further_channels_are_no_empty_images(tmp_path: Path) -> None:
    root = lay_out(
        tmp_path / "in",
        [f"imagesTr/{case}_000{n}.png" for case in "ab" for n in range(2)],
        [f"labelsTr/{case}.png" for case in "ab"],
    )
    with pytest.raises(BadInputError) as caught:
        segprep.convert("pairs", root, tmp_path / "out", classes="3", missing="empty")
    told = skipped(caught.value)
    assert [(skip.stem, skip.code) for skip in told] == [
        ("a_0001", "image-ambiguous"),
        ("b_0001", "image-ambiguous"),
    ]
    pattern = stated_pairs(told[0].hint)
    done = segprep.convert("pairs", root, tmp_path / "out", classes="3", pair=pattern)
    assert done.converted == 2


@pytest.mark.parametrize("pair", ["{x}.jpeg={x}.png", "images/{x}.jpg=mask/{x}.png"])
def test_a_pattern_that_fits_no_file(tmp_path: Path, pair: str) -> None:
    """With --missing empty it would make a dataset without objects."""
    root = lay_out(tmp_path / "in", ["images/p.jpg"], ["masks/p.png"])
    with pytest.raises(UsageError, match=r"no file is called .*images/p.jpg, masks/p.png"):
        segprep.convert("pairs", root, tmp_path / "out", pair=pair, missing="empty", classes="3")
