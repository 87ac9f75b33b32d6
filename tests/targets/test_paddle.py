"""PaddleSeg's lists: two columns parted by a blank."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import segprep
from segprep.dataset.tree import Tree
from segprep.errors import BadInputError, SegprepError
from segprep.imaging.image import encode_mask, read_mask

Ids = Callable[[Path, str], "np.ndarray[Any, Any]"]


def test_lists_name_pairs(rich: Path, ids: Ids, tmp_path: Path) -> None:
    segprep.export("paddle", rich, tmp_path / "out")
    for name in ("train", "val", "test"):
        rows = [line.split(" ") for line in (tmp_path / f"out/{name}.txt").read_text().splitlines()]
        assert [Path(image).stem for image, _ in rows] == list(Tree(rich).lists()[name])
        for image, mask in rows:
            assert (tmp_path / "out" / image).is_file()
            assert (read_mask(tmp_path / "out" / mask) == ids(rich, Path(mask).stem)).all()
    assert (tmp_path / "out/labels.txt").read_text() == "background\ncat\ndog\n"


def test_a_name_with_a_blank_is_refused(tmp_path: Path) -> None:
    for folder in ("JPEGImages", "SegmentationClass"):
        (tmp_path / "tree" / folder).mkdir(parents=True)
    Image.new("RGB", (4, 4)).save(tmp_path / "tree/JPEGImages/my cat.jpg")
    data = encode_mask(np.zeros((4, 4), np.uint8))
    (tmp_path / "tree/SegmentationClass/my cat.png").write_bytes(data)
    (tmp_path / "tree/class_names.txt").write_text("_background_\ncat\n")
    with pytest.raises(BadInputError) as caught:
        segprep.export("paddle", tmp_path / "tree", tmp_path / "out")
    assert caught.value.skipped[0].code == "bad-stem"  # type: ignore[attr-defined]


def test_names_that_look_like_a_table_come_back(source: Path, tmp_path: Path) -> None:
    segprep.convert("labelme", source, tmp_path / "tree")
    names = ["_background_", "crack, wide", "2 doors", "cow: brown 4"]
    (tmp_path / "tree/segprep.json").unlink()
    (tmp_path / "tree/class_names.txt").write_text("\n".join(names))
    segprep.export("paddle", tmp_path / "tree", tmp_path / "out")
    done = segprep.convert("auto", tmp_path / "out", tmp_path / "again")
    assert done.classes == ("background", *names[1:])


def test_a_list_that_was_changed_by_hand_is_read_as_any_other(source: Path, tmp_path: Path) -> None:
    segprep.convert("labelme", source, tmp_path / "tree")
    segprep.export("paddle", tmp_path / "tree", tmp_path / "out")
    (tmp_path / "out/labels.txt").write_text("background\ncat, dog\ncow\nox\n")
    with pytest.raises(SegprepError, match="is not a plain list"):
        segprep.convert("auto", tmp_path / "out", tmp_path / "again")
