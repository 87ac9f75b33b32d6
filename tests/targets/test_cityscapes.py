"""Cityscapes' folders: train ids keep 255, label ids number it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import segprep
from segprep.dataset.tree import Tree
from segprep.imaging.image import read_mask

Ids = Callable[[Path, str], "np.ndarray[Any, Any]"]


def test_names_and_ids(rich: Path, ids: Ids, tmp_path: Path) -> None:
    segprep.export("cityscapes", rich, tmp_path / "out", city="ulm")
    for name in ("train", "val", "test"):
        images = tmp_path / f"out/leftImg8bit/{name}/ulm"
        fine = tmp_path / f"out/gtFine/{name}/ulm"
        stems = set(Tree(rich).lists()[name])
        assert {path.name for path in images.iterdir()} == {f"{s}_leftImg8bit.png" for s in stems}
        for stem in stems:
            with Image.open(images / f"{stem}_leftImg8bit.png") as picture:
                assert picture.format == "PNG"
            truth = ids(rich, stem)
            assert (read_mask(fine / f"{stem}_gtFine_labelTrainIds.png") == truth).all()
            numbered = np.where(truth == 255, 3, truth)
            assert (read_mask(fine / f"{stem}_gtFine_labelIds.png") == numbered).all()
    names = (tmp_path / "out/class_names.txt").read_text().split()
    assert names == ["background", "cat", "dog", "unlabeled"]
