"""Datumaro's voc_segmentation: no list twice; and back through convert voc."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import segprep
from segprep.dataset.tree import Tree

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
