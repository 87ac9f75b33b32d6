"""mmsegmentation: one config, one suffix, class 0 kept."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import segprep
from segprep.dataset.tree import Tree
from segprep.errors import UsageError
from segprep.imaging.image import encode_mask, read_mask

Ids = Callable[[Path, str], "np.ndarray[Any, Any]"]


def settings(path: Path) -> dict[str, Any]:
    """The variables of a config, as mmengine executes it."""
    scope: dict[str, Any] = {}
    exec(path.read_text().replace("{{ fileDirname }}", str(path.parent)), scope)
    return scope


def test_the_config_describes_the_files(rich: Path, ids: Ids, tmp_path: Path) -> None:
    segprep.export("mmseg", rich, tmp_path / "out", link="hard")
    config = settings(tmp_path / "out/mmseg_rich.py")
    assert (config["classes"], config["num_classes"]) == (("background", "cat", "dog"), 3)
    assert config["palette"] == [[0, 0, 0], [128, 0, 0], [0, 128, 0]]
    for name in ("train", "val", "test"):
        data = config[f"{name}_dataloader"]["dataset"]
        assert (data["type"], data["reduce_zero_label"]) == ("BaseSegDataset", False)
        root, stems = Path(data["data_root"]), Tree(rich).lists()[name]
        assert (root / data["ann_file"]).read_text().split() == list(stems)
        for stem in stems:
            mask = root / data["data_prefix"]["seg_map_path"] / (stem + data["seg_map_suffix"])
            image = root / data["data_prefix"]["img_path"] / (stem + data["img_suffix"])
            assert image.samefile(Tree(rich).image_path(stem))
            assert (read_mask(mask) == ids(rich, stem)).all()


def test_several_suffixes_are_refused(tmp_path: Path) -> None:
    for folder in ("JPEGImages", "SegmentationClass"):
        (tmp_path / "tree" / folder).mkdir(parents=True)
    for name in ("a.jpg", "b.png"):
        Image.new("RGB", (4, 4)).save(tmp_path / "tree/JPEGImages" / name)
        mask = tmp_path / f"tree/SegmentationClass/{name[0]}.png"
        mask.write_bytes(encode_mask(np.zeros((4, 4), np.uint8)))
    (tmp_path / "tree/class_names.txt").write_text("_background_\ncat\n")
    with pytest.raises(UsageError) as caught:
        segprep.export("mmseg", tmp_path / "tree", tmp_path / "out")
    assert caught.value.hint == "give --images png"
    segprep.export("mmseg", tmp_path / "tree", tmp_path / "out", images="png", gray=True)
    assert (
        settings(tmp_path / "out/mmseg_tree.py")["train_dataloader"]["dataset"]["img_suffix"]
        == ".png"
    )
    assert sorted(path.name for path in (tmp_path / "out/JPEGImages").iterdir()) == [
        "a.png",
        "b.png",
    ]
