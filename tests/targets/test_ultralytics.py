"""Ultralytics' folders: the mask of an image is found by masks/ in its path; ids stay."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import segprep
from segprep.dataset.tree import Tree
from segprep.imaging.image import read_mask

Ids = Callable[[Path, str], "np.ndarray[Any, Any]"]


def test_read_as_ultralytics_reads(rich: Path, ids: Ids, tmp_path: Path) -> None:
    segprep.export("ultralytics", rich, tmp_path / "out", link="sym")
    out = tmp_path / "out"
    for name in ("train", "val", "test"):
        lines = (out / f"{name}.txt").read_text().splitlines()
        assert [Path(line).stem for line in lines] == list(Tree(rich).lists()[name])
        for line in lines:
            image = out / line
            mask = Path(str(image).replace("/images/", "/masks/")).with_suffix(".png")
            assert image.is_symlink()
            assert mask.is_symlink()
            assert (read_mask(mask) == ids(rich, mask.stem)).all()
    text = (out / "data.yaml").read_text()
    assert "\npath:" not in text, "a relative path is not taken from the file's folder"
    assert 'masks_dir: masks\nnames:\n  0: "background"\n  1: "cat"\n  2: "dog"\n' in text


def test_gray_masks(rich: Path, ids: Ids, tmp_path: Path) -> None:
    segprep.export("ultralytics", rich, tmp_path / "out", gray=True)
    path = tmp_path / "out/masks/s3.png"
    assert (read_mask(path) == ids(rich, "s3")).all()
    assert path.read_bytes() != Tree(rich).mask_path("s3").read_bytes()
