"""COCO files: run lengths and polygons as pycocotools draws them, objects, panoptic PNGs."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import segprep
from segprep.dataset.tree import Tree
from segprep.imaging.image import read_mask
from segprep.targets._common import run_lengths
from segprep.targets._common.objects import Thing

Ids = Callable[[Path, str], "np.ndarray[Any, Any]"]
pycocotools = pytest.importorskip("pycocotools.mask", reason="pycocotools is not installed")
# its compiled decode() knows NumPy 1 only
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def drawn(content: dict[str, Any], stem: str) -> "np.ndarray[Any, Any]":
    """The class mask that a reader paints from the annotations of *stem*."""
    (entry,) = [one for one in content["images"] if one["file_name"] == f"{stem}.jpg"]
    mask = np.zeros((entry["height"], entry["width"]), np.uint8)
    for one in (one for one in content["annotations"] if one["image_id"] == entry["id"]):
        given = one["segmentation"]
        if isinstance(given, list):
            runs = pycocotools.merge(pycocotools.frPyObjects(given, *mask.shape))
        else:
            runs = given
        mask[pycocotools.decode(runs) > 0] = one["category_id"]
    return mask


@pytest.mark.parametrize("segmentation", ["rle", "polygon"])
def test_pycocotools_draws_the_masks(
    segmentation: str, rich: Path, ids: Ids, tmp_path: Path
) -> None:
    done = segprep.export("coco", rich, tmp_path / "out", segmentation=segmentation)
    ignored = 0
    for name in ("train", "val", "test"):
        content = json.loads((tmp_path / f"out/annotations/instances_{name}.json").read_bytes())
        assert [one["name"] for one in content["categories"]] == ["cat", "dog"]
        assert len({one["id"] for one in content["annotations"]}) == len(content["annotations"])
        for stem in Tree(rich).lists()[name]:
            truth = ids(rich, stem)
            ignored += int((truth == 255).sum())
            assert (drawn(content, stem) == np.where(truth == 255, 0, truth)).all()
            assert (tmp_path / f"out/images/{name}/{stem}.jpg").is_file()
        for one in content["annotations"]:
            assert one["area"] <= one["bbox"][2] * one["bbox"][3]
    (note,) = [note for note in done.notes if note.code == "not-held"]
    assert note.message.startswith(f"{ignored:,} pixels of 255 (ignored) became background")


@pytest.mark.parametrize("segmentation", ["rle", "polygon"])
def test_round_trip(segmentation: str, rich: Path, ids: Ids, tmp_path: Path) -> None:
    segprep.export("coco", rich, tmp_path / "out", segmentation=segmentation)
    segprep.convert("coco", tmp_path / "out", tmp_path / "again")
    assert Tree(tmp_path / "again").stems() == Tree(rich).stems()
    for stem in Tree(rich).stems():
        truth = ids(rich, stem)
        assert (ids(tmp_path / "again", stem) == np.where(truth == 255, 0, truth)).all()


def test_panoptic_segments(rich: Path, ids: Ids, tmp_path: Path) -> None:
    segprep.export("coco", rich, tmp_path / "out", panoptic=True)
    folder = tmp_path / "out/annotations"
    content = json.loads((folder / "panoptic_train.json").read_bytes())
    for annotation in content["annotations"]:
        with Image.open(folder / "panoptic_train" / annotation["file_name"]) as picture:
            colors = np.asarray(picture).astype(np.int64)
        segments = colors @ [1, 256, 65536]
        truth = ids(rich, Path(annotation["file_name"]).stem)
        mask = np.zeros(truth.shape, np.uint8)
        for info in annotation["segments_info"]:
            assert info["area"] == (segments == info["id"]).sum()
            mask[segments == info["id"]] = info["category_id"]
        assert (mask == np.where(truth == 255, 0, truth)).all()


def test_objects_are_annotations_of_their_own(rich: Path, tmp_path: Path) -> None:
    objects = Tree(rich).root / "SegmentationObject/s1.png"
    segprep.export("coco", rich, tmp_path / "out")
    files = (tmp_path / "out/annotations").glob("instances_*.json")
    content = next(
        c
        for c in map(json.loads, (f.read_bytes() for f in files))
        if any(i["file_name"] == "s1.jpg" for i in c["images"])
    )
    image = next(one["id"] for one in content["images"] if one["file_name"] == "s1.jpg")
    areas = [one["area"] for one in content["annotations"] if one["image_id"] == image]
    truth = read_mask(objects)
    assert sorted(areas) == sorted(int((truth == n).sum()) for n in (1, 2))


def test_run_lengths_are_pycocotools_own() -> None:
    random = np.random.default_rng(0)
    for _ in range(50):
        bits = random.random((int(random.integers(1, 40)), int(random.integers(1, 40)))) < 0.6
        whole = np.zeros((50, 60), np.uint8)
        whole[3 : 3 + bits.shape[0], 5 : 5 + bits.shape[1]] = bits
        own = run_lengths.encoded(Thing(1, 3, 5, bits), 50, 60)
        assert own["counts"] == pycocotools.encode(np.asfortranarray(whole))["counts"].decode()


def test_what_a_tolerance_moves_is_counted_and_nothing_vanishes(
    rich: Path, ids: Ids, tmp_path: Path
) -> None:
    options = {"segmentation": "polygon", "link": "sym"}
    exact = segprep.export("coco", rich, tmp_path / "exact", tolerance=0.5, **options)
    assert not [note for note in exact.notes if "outline" in note.message]
    coarse = segprep.export(
        "coco", rich, tmp_path / "coarse", tolerance=9.0, max_loss=1.0, **options
    )
    (note,) = [note for note in coarse.notes if "outline" in note.message]
    differ = 0
    for path in (tmp_path / "coarse/annotations").iterdir():
        content = json.loads(path.read_bytes())
        for one in content["images"]:
            stem = one["file_name"].removesuffix(".jpg")
            truth = ids(rich, stem)
            differ += int((drawn(content, stem) != np.where(truth == 255, 0, truth)).sum())
    assert 0 < differ <= int(note.message.split()[0].replace(",", "")) < 3 * differ
    segprep.export("coco", rich, tmp_path / "all", tolerance=500.0, max_loss=1.0, **options)
    for path in (tmp_path / "all/annotations").iterdir():
        for one in json.loads(path.read_bytes())["annotations"]:
            assert all(len(ring) >= 6 for ring in one["segmentation"])
            assert one["segmentation"]
