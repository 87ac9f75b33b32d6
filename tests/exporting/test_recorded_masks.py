"""A mask that is as its record says is exported without being decoded; every other one is read."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from folders import content

import segprep
from segprep.dataset import samples
from segprep.dataset.tree import Tree
from segprep.errors import BadInputError
from segprep.imaging import png, png_parts
from segprep.imaging.image import encode_mask, read_mask, voc_colors, write_mask

WITHOUT_PIXELS = ("ultralytics", "mmseg", "monai", "paddle", "webdataset", "keras", "voc", "hf")


@pytest.fixture
def tree(source: Path, tmp_path: Path) -> Path:
    segprep.convert("labelme", source, tmp_path / "tree")
    segprep.split(tmp_path / "tree", seed=1)
    return tmp_path / "tree"


@pytest.mark.parametrize("target", WITHOUT_PIXELS)
def test_equal_bytes_without_decoding(
    target: str, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"images": "png"} if target == "mmseg" else {}
    with monkeypatch.context() as patch:
        patch.setattr("segprep.exporting.labeled._is_recorded", lambda *_: False)
        segprep.export(target, tree, tmp_path / "decoded", **options)

    def refuse(*_: Any) -> None:
        raise AssertionError("a mask was decoded")

    monkeypatch.setattr(samples, "mask_ids", refuse)
    segprep.export(target, tree, tmp_path / "copied", **options)
    assert content(tmp_path / "copied", "segprep-export.json") == content(
        tmp_path / "decoded", "segprep-export.json"
    )


def test_a_mask_that_changed_is_read(tree: Path, tmp_path: Path) -> None:
    path = Tree(tree).mask_path("img4")
    mask = read_mask(path)
    mask[0, 0] = 1
    write_mask(path, mask)
    segprep.export("monai", tree, tmp_path / "out")
    assert (read_mask(tmp_path / "out/labels/img4.png") == mask).all()
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(data)
    with pytest.raises(BadInputError) as caught:
        segprep.export("ultralytics", tree, tmp_path / "again")
    assert [(one.stem, one.code) for one in caught.value.skipped] == [("img4", "image-damaged")]


def test_values_of_the_record_are_held_against_the_classes(tree: Path, tmp_path: Path) -> None:
    (entry,) = (one for one in samples.entries(Tree(tree), []) if one.stem == "img4")
    assert entry.content is not None
    last = max(value for value in entry.content.values if value != 255)
    content = json.loads((tree / "segprep.json").read_text())
    content["classes"]["names"] = content["classes"]["names"][:last]
    (tree / "segprep.json").write_text(json.dumps(content))
    with pytest.raises(BadInputError) as caught:
        segprep.export("ultralytics", tree, tmp_path / "out")
    assert {one.code for one in caught.value.skipped} == {"unknown-value"}


def test_recolored_keeps_every_value() -> None:
    mask = np.random.default_rng(3).integers(0, 256, (9, 13)).astype(np.uint8)
    palette, gray = encode_mask(mask), encode_mask(mask, "gray")
    assert png_parts.recolored(palette, None) == gray
    assert png_parts.recolored(gray, voc_colors()) == palette
    assert png.plain_shape(gray, 117) == (9, 13)
    assert png.plain_shape(gray, 116) is None
    assert png.plain_shape(png.encode(mask.astype(np.uint16)), 117) is None
