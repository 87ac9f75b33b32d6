"""Which columns of a table hold images and masks, whatever they are called."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import segprep
from segprep.errors import BadInputError
from segprep.sources._common.pairing.pair_patterns import columns


@pytest.mark.parametrize(
    ("header", "meant"),
    [
        ("image,mask,split", {"image": "image", "mask": "mask"}),
        ("image_path,mask_path", {"image": "image_path", "mask": "mask_path"}),
        ("Label File,Image File", {"image": "Image File", "mask": "Label File"}),
        ("image_id,image_path,mask", {"image": "image_path", "mask": "mask"}),
        ("image_a,image_b,mask", {"mask": "mask"}),
        ("image_mask,split", {}),
        ("a,b", {}),
    ],
)
def test_columns_by_what_they_say(header: str, meant: dict[str, str]) -> None:
    assert columns(header.split(",")) == meant


OPTIONS: dict[str, Any] = {"classes": "background,road", "missing": "empty"}


def lay_out(root: Path, *names: str) -> Path:
    root.mkdir()
    for name in names:
        array = np.ones((4, 5), np.uint8) if "_x" in name else np.zeros((4, 5, 3), np.uint8)
        Image.fromarray(array).save(root / name)
    return root


def test_other_pictures_are_not_images_without_a_mask(tmp_path: Path) -> None:
    """A wide pattern takes them in; as images without a mask they would be all background."""
    every = ("a.jpg", "a_x.png", "a_depth.png", "b.jpg", "b_x.png", "b_depth.png", "c.jpg")
    root, out = lay_out(tmp_path / "in", *every), tmp_path / "out"
    with pytest.raises(BadInputError) as caught:
        segprep.convert("pairs", root, out, pair="{stem}.*={stem}_x.png", **OPTIONS)
    assert "2 of 5" in caught.value.message
    assert "seems to be another picture of a.jpg" in str(caught.value.skipped[0])
    assert "{stem}.jpg" in str(caught.value.skipped[0])
    done = segprep.convert("pairs", root, out, pair="{stem}.jpg={stem}_x.png", **OPTIONS)
    assert done.converted == 3


def test_a_longer_name_of_the_same_kind_is_an_image(tmp_path: Path) -> None:
    root = lay_out(tmp_path / "in", "a.jpg", "a_x.png", "a_big.jpg", "b.jpg", "b_x.png")
    done = segprep.convert("pairs", root, tmp_path / "out", pair="{stem}.*={stem}_x.png", **OPTIONS)
    assert done.converted == 3
