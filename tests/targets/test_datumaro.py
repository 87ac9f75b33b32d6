"""Datumaro's voc_segmentation: no list twice; and back through convert voc."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import segprep
from segprep.dataset.tree import Tree
from segprep.imaging.image import encode_mask, encode_objects, read_mask

Ids = Callable[[Path, str], "np.ndarray[Any, Any]"]


def test_lists_and_labelmap(rich: Path, tmp_path: Path) -> None:
    segprep.export("datumaro", rich, tmp_path / "out", link="hard")
    lists = {path.stem for path in (tmp_path / "out/ImageSets/Segmentation").iterdir()}
    assert lists == {"train", "val", "test"}
    assert "ignored:224,224,192::" in (tmp_path / "out/labelmap.txt").read_text()
    origin = Tree(rich).image_path("s0")
    assert origin
    assert (tmp_path / "out/JPEGImages/s0.jpg").samefile(origin)


def test_round_trip(rich: Path, ids: Ids, tmp_path: Path) -> None:
    segprep.export("datumaro", rich, tmp_path / "out")
    segprep.convert("voc", tmp_path / "out", tmp_path / "again")
    again = Tree(tmp_path / "again")
    assert again.stems() == Tree(rich).stems()
    assert again.lists()["train"] == Tree(rich).lists()["train"]
    for stem in again.stems():
        assert (ids(tmp_path / "again", stem) == ids(rich, stem)).all()


def test_more_objects_than_8_bits_hold_are_said(tmp_path: Path) -> None:
    objects = np.arange(300, dtype=np.uint16).reshape(15, 20)
    files = {
        "JPEGImages/a.png": encode_mask(np.zeros((15, 20), np.uint8), "gray"),
        "SegmentationClass/a.png": encode_mask((objects > 0).astype(np.uint8)),
        "SegmentationObject/a.png": encode_objects(objects),
        "class_names.txt": b"_background_\ncell\n",
    }
    for name, data in files.items():
        (tmp_path / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tree" / name).write_bytes(data)
    done = segprep.export("datumaro", tmp_path / "tree", tmp_path / "out")
    assert not (tmp_path / "out/SegmentationObject").exists()
    assert [n.message for n in done.notes if n.code == "not-held"] == [
        "299 objects, more than 254 in an image, cannot be distinguished (16 bits) (1 of 1 samples)"
    ]
    segprep.export("cvat", tmp_path / "tree", tmp_path / "cvat")
    assert read_mask(tmp_path / "cvat/SegmentationObject/a.png").max() == 2
