"""FiftyOne's ImageSegmentationDirectory: equal names in data/ and labels/, gray."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import segprep
from segprep.dataset.tree import Tree
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
