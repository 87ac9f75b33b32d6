"""YOLO polygons as Ultralytics draws them: truncated to pixels, filled with their outline."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

import segprep
from segprep.dataset.tree import Tree
from segprep.imaging.image import encode_mask

Ids = Callable[[Path, str], "np.ndarray[Any, Any]"]


def drawn(path: Path, shape: tuple[int, ...]) -> "np.ndarray[Any, Any]":
    """The class mask (0 background) of a label file, small over large in the file's order."""
    mask = np.zeros(shape, np.uint8)
    for line in path.read_text().splitlines():
        number, *values = line.split()
        points = np.array(values, float).reshape(-1, 2) * (shape[1], shape[0])
        cv2.fillPoly(mask, [points.astype(np.int32)], int(number) + 1)
    return mask


def test_polygons_keep_holes(rich: Path, ids: Ids, tmp_path: Path) -> None:
    done = segprep.export("yolo-seg", rich, tmp_path / "out")
    for name in ("train", "val", "test"):
        for stem in Tree(rich).lists()[name]:
            truth = ids(rich, stem)
            mask = drawn(tmp_path / f"out/labels/{name}/{stem}.txt", truth.shape)
            assert (mask == np.where(truth == 255, 0, truth)).all()
            assert (tmp_path / f"out/images/{name}/{stem}.jpg").is_file()
    assert 'names:\n  0: "cat"\n  1: "dog"\n' in (tmp_path / "out/data.yaml").read_text()
    assert [note.code for note in done.notes] == ["not-held"]


@pytest.mark.parametrize("tolerance", [0.0, 0.4])
def test_the_bundled_example(tolerance: float, ids: Ids, tmp_path: Path) -> None:
    source = Path(__file__).parents[2] / "examples/shapes"
    segprep.convert("labelme", source, tmp_path / "tree")
    segprep.export("yolo-seg", tmp_path / "tree", tmp_path / "out", tolerance=tolerance)
    both, either = np.zeros(6), np.zeros(6)
    for stem in Tree(tmp_path / "tree").stems():
        truth = ids(tmp_path / "tree", stem)
        mask = drawn(tmp_path / f"out/labels/train/{stem}.txt", truth.shape)
        for value in range(1, 6):
            both[value] += np.count_nonzero((mask == value) & (truth == value))
            either[value] += np.count_nonzero((mask == value) | (truth == value))
    assert (both[1:] / either[1:]).min() >= (1.0 if tolerance == 0 else 0.99)


def test_a_single_pixel_is_counted(tmp_path: Path) -> None:
    mask = np.zeros((6, 6), np.uint8)
    mask[2, 3] = 1
    for folder in ("JPEGImages", "SegmentationClass"):
        (tmp_path / "tree" / folder).mkdir(parents=True)
    Image.new("RGB", (6, 6)).save(tmp_path / "tree/JPEGImages/a.jpg")
    (tmp_path / "tree/SegmentationClass/a.png").write_bytes(encode_mask(mask))
    (tmp_path / "tree/class_names.txt").write_text("_background_\ncat\n")
    done = segprep.export("yolo-seg", tmp_path / "tree", tmp_path / "out")
    assert [n.message for n in done.notes if n.code == "not-held"] == [
        "1 regions are one or two pixels: their polygons have no area (1 of 1 samples)"
    ]
    assert (drawn(tmp_path / "out/labels/train/a.txt", mask.shape) == mask).all()


def test_what_a_tolerance_moves_is_counted(rich: Path, tmp_path: Path) -> None:
    counts = []
    for tolerance in (0.0, 1.0, 9.0):
        out = tmp_path / f"out{tolerance}"
        notes = segprep.export("yolo-seg", rich, out, tolerance=tolerance, max_loss=1.0).notes
        said = [note.message for note in notes if "outline" in note.message]
        counts.append(int(said[0].split()[0].replace(",", "")) if said else 0)
    assert counts[0] == 0
    assert counts[2] > max(counts[1], 20)
