"""WebDataset shards are whole tar files, in order, the same for any number of workers."""

import io
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import segprep
from segprep.dataset.tree import Tree
from segprep.errors import BadInputError, UsageError
from segprep.imaging.image import encode_mask

Ids = Callable[[Path, str], "np.ndarray[Any, Any]"]


def test_shards(rich: Path, ids: Ids, tmp_path: Path) -> None:
    segprep.export("webdataset", rich, tmp_path / "out", shard=3)
    segprep.export("webdataset", rich, tmp_path / "two", shard=3, jobs=2)
    shards = sorted((tmp_path / "out").glob("train-*.tar"))
    assert [path.name for path in shards] == [
        "train-000000.tar",
        "train-000001.tar",
        "train-000002.tar",
    ]
    stems = []
    for path in shards:
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()
        assert path.read_bytes().endswith(b"\0" * 1024)
        with tarfile.open(path) as file:
            members = {member.name: file.extractfile(member).read() for member in file}  # type: ignore[union-attr]
        for name in (name for name in members if name.endswith(".jpg")):
            stem = name.removesuffix(".jpg")
            stems.append(stem)
            with Image.open(io.BytesIO(members[f"{stem}.seg.png"])) as mask:
                assert mask.mode == "L"
                assert (np.asarray(mask) == ids(rich, stem)).all()
    assert stems == list(Tree(rich).lists()["train"])


def test_what_cannot_be_named_is_refused(rich: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        segprep.export("webdataset", rich, tmp_path / "out", shard=0)
    for folder in ("JPEGImages", "SegmentationClass"):
        (tmp_path / "tree" / folder).mkdir(parents=True)
    Image.new("RGB", (4, 4)).save(tmp_path / "tree/JPEGImages/a.b.jpg")
    data = encode_mask(np.zeros((4, 4), np.uint8))
    (tmp_path / "tree/SegmentationClass/a.b.png").write_bytes(data)
    (tmp_path / "tree/class_names.txt").write_text("_background_\ncat\n")
    with pytest.raises(BadInputError) as caught:
        segprep.export("webdataset", tmp_path / "tree", tmp_path / "out")
    assert caught.value.skipped[0].code == "bad-stem"  # type: ignore[attr-defined]
