"""Hugging Face imagefolder: metadata whose paths are relative to it, masks gray."""

import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import segprep
from segprep.dataset.tree import Tree
from segprep.errors import MissingExtraError
from segprep.imaging.image import read_mask

Ids = Callable[[Path, str], "np.ndarray[Any, Any]"]


def test_metadata_point_at_images_and_masks(rich: Path, ids: Ids, tmp_path: Path) -> None:
    segprep.export("hf", rich, tmp_path / "out")
    for name, folder in (("train", "train"), ("val", "validation"), ("test", "test")):
        base = tmp_path / "out" / folder
        rows = [json.loads(line) for line in (base / "metadata.jsonl").read_text().splitlines()]
        assert [row["stem"] for row in rows] == list(Tree(rich).lists()[name])
        for row in rows:
            assert (base / row["file_name"]).is_file()
            with Image.open(base / row["label_file_name"]) as mask:
                assert mask.mode == "L"
            assert (read_mask(base / row["label_file_name"]) == ids(rich, row["stem"])).all()
    labels = json.loads((tmp_path / "out/id2label.json").read_bytes())
    assert labels == {"0": "background", "1": "cat", "2": "dog"}
    assert "| 1 | cat |" in (tmp_path / "out/README.md").read_text()


@pytest.mark.skipif(find_spec("pyarrow") is not None, reason="pyarrow is installed")
def test_parquet_without_its_extra_says_what_to_install(rich: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingExtraError) as caught:
        segprep.export("hf", rich, tmp_path / "out", parquet=True)
    assert "hf" in str(caught.value.hint) + caught.value.message


@pytest.mark.skipif(
    find_spec("pyarrow") is None, reason="pyarrow is not installed: see make readers"
)
def test_parquet_embeds_the_bytes(rich: Path, tmp_path: Path) -> None:
    from pyarrow import parquet

    segprep.export("hf", rich, tmp_path / "out", parquet=True)
    rows = parquet.read_table(tmp_path / "out/data/train.parquet").to_pylist()
    assert [row["stem"] for row in rows] == list(Tree(rich).lists()["train"])
    origin = Tree(rich).image_path(rows[0]["stem"])
    assert origin
    assert rows[0]["image"]["bytes"] == origin.read_bytes()
