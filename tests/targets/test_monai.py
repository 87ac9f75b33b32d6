"""MONAI's datalist names files that exist, relative to itself."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import segprep
from segprep.dataset.tree import Tree
from segprep.imaging.image import read_mask

Ids = Callable[[Path, str], "np.ndarray[Any, Any]"]


def test_the_datalist(rich: Path, ids: Ids, tmp_path: Path) -> None:
    segprep.export("monai", rich, tmp_path / "out")
    content = json.loads((tmp_path / "out/datalist.json").read_bytes())
    assert content["labels"] == {"0": "background", "1": "cat", "2": "dog"}
    for name, key in (("train", "training"), ("val", "validation"), ("test", "test")):
        stems = Tree(rich).lists()[name]
        assert [Path(pair["label"]).stem for pair in content[key]] == list(stems)
        for pair, stem in zip(content[key], stems, strict=True):
            assert (tmp_path / "out" / pair["image"]).is_file()
            assert (read_mask(tmp_path / "out" / pair["label"]) == ids(rich, stem)).all()
    assert "reverse_indexing=False" in (tmp_path / "out/README.txt").read_text()
