"""FiftyOne's ImageSegmentationDirectory: equal names in data/ and labels/, gray."""

import json
import shutil
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


def test_data_and_labels_have_the_same_stems(rich: Path, ids: Ids, tmp_path: Path) -> None:
    done = segprep.export("fiftyone", rich, tmp_path / "out")
    for name in ("train", "val", "test"):
        data, labels = tmp_path / f"out/{name}/data", tmp_path / f"out/{name}/labels"
        stems = {path.stem for path in data.iterdir()}
        assert stems == {path.stem for path in labels.iterdir()} == set(Tree(rich).lists()[name])
        for path in labels.iterdir():
            with Image.open(path) as mask:
                assert mask.mode == "L"
            assert (read_mask(path) == ids(rich, path.stem)).all()
    targets = json.loads((tmp_path / "out/mask_targets.json").read_bytes())
    assert targets == {"0": "background", "1": "cat", "2": "dog"}
    ignored = sum(int((ids(rich, stem) == 255).sum()) for stem in Tree(rich).stems())
    (note,) = [note for note in done.notes if note.code == "not-held"]
    assert note.message.startswith(f"{ignored:,} pixels of 255")
    assert "(4 of 10 samples)" in note.message
    assert note.message in (tmp_path / "out/README.txt").read_text()


def test_auto_reads_every_list_of_an_export(source: Path, tmp_path: Path) -> None:
    segprep.convert("labelme", source, tmp_path / "tree")
    segprep.split(tmp_path / "tree", seed=1)
    segprep.export("fiftyone", tmp_path / "tree", tmp_path / "out")
    segprep.convert("auto", tmp_path / "out", tmp_path / "again")
    before, after = Tree(tmp_path / "tree"), Tree(tmp_path / "again")
    for name in ("train", "val", "test"):
        assert set(after.lists()[name]) == set(before.lists()[name]) != set()
    for stem in before.stems():
        assert (after.mask(stem) == before.mask(stem)).all()


def test_data_beside_two_folders_of_masks_is_not_taken(source: Path, tmp_path: Path) -> None:
    segprep.convert("labelme", source, tmp_path / "tree")
    segprep.split(tmp_path / "tree", seed=1)
    segprep.export("fiftyone", tmp_path / "tree", tmp_path / "out")
    for name in ("train", "val", "test"):
        shutil.copytree(tmp_path / f"out/{name}/labels", tmp_path / f"out/{name}/corrected")
    with pytest.raises(UsageError) as caught:
        segprep.convert("auto", tmp_path / "out", tmp_path / "again")
    assert "corrected" in f"{caught.value} {caught.value.hint}"
