"""CVAT's masks: every color that occurs has a line in labelmap.txt."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import segprep
from segprep.dataset.tree import Tree
from segprep.errors import UsageError
from segprep.imaging.image import read_mask

Ids = Callable[[Path, str], "np.ndarray[Any, Any]"]


def test_every_color_is_named(rich: Path, ids: Ids, tmp_path: Path) -> None:
    segprep.export("cvat", rich, tmp_path / "out.zip", archive=True)
    with zipfile.ZipFile(tmp_path / "out.zip") as file:
        file.extractall(tmp_path / "out")
    rows = (tmp_path / "out/labelmap.txt").read_text().splitlines()
    assert rows[1:] == [
        "background:0,0,0::",
        "cat:128,0,0::",
        "dog:0,128,0::",
        "ignored:224,224,192::",
    ]
    known = {tuple(map(int, row.split(":")[1].split(","))) for row in rows[1:]}
    listed = (tmp_path / "out/ImageSets/Segmentation/default.txt").read_text().split()
    assert listed == list(Tree(rich).stems())
    for stem in listed:
        path = tmp_path / f"out/SegmentationClass/{stem}.png"
        assert (read_mask(path) == ids(rich, stem)).all()
        with Image.open(path) as mask:
            assert {
                tuple(color) for color in np.asarray(mask.convert("RGB")).reshape(-1, 3)
            } <= known
        assert (
            read_mask(tmp_path / f"out/SegmentationObject/{stem}.png")[ids(rich, stem) == 1] == 1
        ).all()
    assert not (tmp_path / "out/JPEGImages").exists()


def test_without_objects_each_class_is_one(source: Path, ids: Ids, tmp_path: Path) -> None:
    segprep.convert("labelme", source, tmp_path / "tree")
    segprep.export("cvat", tmp_path / "tree", tmp_path / "out", images=True)
    objects = read_mask(tmp_path / "out/SegmentationObject/img2.png")
    truth = ids(tmp_path / "tree", "img2")
    assert (objects == np.where(truth == 0, 0, truth + 1)).all()
    assert len(list((tmp_path / "out/JPEGImages").iterdir())) == 12


def test_a_colon_in_a_name_is_refused(rich: Path, tmp_path: Path) -> None:
    segprep.remap(rich, tmp_path / "colon", map=("cat=a:b",))
    with pytest.raises(UsageError) as caught:
        segprep.export("cvat", tmp_path / "colon", tmp_path / "out")
    assert caught.value.code == "bad-classes"
