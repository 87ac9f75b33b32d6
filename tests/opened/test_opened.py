"""A dataset from Python: length, samples, lists, overlays, and other libraries' forms."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import segprep
from segprep.errors import BadInputError, MissingExtraError, SourceError, UsageError
from segprep.imaging.image import read_mask, write_mask


@pytest.fixture
def out(source: Path, tmp_path: Path) -> Path:
    segprep.convert("labelme", source, tmp_path / "out", objects=True)
    segprep.split(tmp_path / "out", seed=1)
    return tmp_path / "out"


def test_samples_and_lists(out: Path) -> None:
    tree = segprep.open(out)
    assert (len(tree), len(list(tree)), len(tree[2:5])) == (12, 12, 3)
    assert [one.stem for one in tree] == list(tree.stems) == [f"img{n}" for n in range(12)]
    assert tree.classes
    assert tree.classes.names == ("_background_", "cat", "cow", "dog")
    assert {name: len(tree[name]) for name in tree.lists} == {
        "train": 8,
        "val": 2,
        "test": 2,
        "trainval": 10,
    }
    assert set(tree["train"].stems) == set(segprep.Tree(out).lists()["train"])
    sample = tree[-1]
    assert sample.stem == "img11"
    assert tree.sample("img11").image_path == sample.image_path
    assert (sample.image.shape, sample.image.dtype) == ((24, 32, 3), np.uint8)
    assert (sample.mask == read_mask(sample.mask_path)).all()
    assert sample.objects is not None
    assert sample.objects.shape == (24, 32)
    with Image.open(sample.image_path) as picture:
        assert (sample.image == np.asarray(picture.convert("RGB"))).all()


def test_names_that_are_not_there(out: Path) -> None:
    tree = segprep.open(out)
    with pytest.raises(UsageError, match="trains"):
        tree["trains"]
    with pytest.raises(UsageError, match="img99"):
        tree.sample("img99")
    with pytest.raises(IndexError):
        tree[12]
    with pytest.raises(UsageError):
        segprep.open(out / "JPEGImages")


def test_a_mask_without_image_is_refused_and_named(out: Path, tmp_path: Path) -> None:
    (tmp_path / "foreign").mkdir()
    for folder in ("JPEGImages", "SegmentationClass"):
        (out / folder).rename(tmp_path / "foreign" / folder)
    (tmp_path / "foreign/JPEGImages/img3.jpg").unlink()
    with pytest.raises(BadInputError, match="img3"):
        segprep.open(tmp_path / "foreign")


def test_a_value_that_no_class_has_is_refused(out: Path) -> None:
    tree = segprep.open(out)
    mask = read_mask(tree[0].mask_path)
    mask[0, 0] = 77
    write_mask(tree[0].mask_path, mask)
    with pytest.raises(SourceError, match="77"):
        _ = tree[0].mask
    with pytest.raises(BadInputError) as caught:
        tree.to_coco()
    assert len(caught.value.skipped) == 1


def test_to_torch(out: Path) -> None:
    torch = pytest.importorskip("torch")
    tree = segprep.open(out)
    data = tree.to_torch("val", lambda image, mask: (image * 2, mask))
    image, mask = data[0]
    assert (len(data), tuple(image.shape), mask.dtype) == (2, (3, 24, 32), torch.int64)
    assert len(tree["train"][:2].to_torch()) == 2
    first = tree["val"][0]
    assert (mask.numpy() == first.mask).all()
    assert np.allclose(image.numpy().transpose(1, 2, 0) * 127.5, first.image, atol=1e-3)


def test_to_coco_is_what_the_export_writes(out: Path, tmp_path: Path) -> None:
    import json

    tree = segprep.open(out)
    document = tree["train"].to_coco()
    segprep.export("coco", out, tmp_path / "coco")
    written = json.loads((tmp_path / "coco/annotations/instances_train.json").read_bytes())
    assert document == written
    assert len(tree.to_coco()["images"]) == 12
    empty = tree[:0].to_coco()
    assert (empty["images"], empty["annotations"], len(empty["categories"])) == ([], [], 3)


def test_to_hf_needs_its_extra_or_gives_the_ids(out: Path) -> None:
    tree = segprep.open(out)
    if importlib.util.find_spec("datasets") is None:
        with pytest.raises(MissingExtraError, match="datasets"):
            tree.to_hf()
        return
    data = tree.to_hf()
    assert {name: len(part) for name, part in data.items()} == {
        "train": 8,
        "validation": 2,
        "test": 2,
    }
    for row in data["validation"]:
        assert (np.asarray(row["label"]) == tree.sample(row["stem"]).mask).all()
    assert len(tree["train"][:3].to_hf()) == 3


def test_overlay() -> None:
    image = np.full((20, 30), 100, np.uint8)
    mask = np.zeros((20, 30), np.uint8)
    mask[5:15, 5:15] = 1
    mask[:2, :2] = 255
    laid = np.asarray(segprep.overlay(image, mask))
    assert laid.shape == (20, 30, 3)
    assert (laid[18, 25] == 100).all()
    assert (laid[9, 9] != laid[18, 25]).any()
    assert (laid[0, 0] == 116).all()
    clear = np.asarray(segprep.overlay(image, mask, opacity=0, outlines=False))
    assert (clear == 100).all()
    with pytest.raises(UsageError, match="do not fit"):
        segprep.overlay(image, mask[:-1])
    with pytest.raises(UsageError, match="class ids"):
        segprep.overlay(image, mask.astype(float))
    with pytest.raises(UsageError, match="class ids"):
        segprep.overlay(image, mask.astype(int) - 1)


def test_opening_stays_light() -> None:
    code = (
        "import sys, segprep; segprep.open;"
        " print(sorted({'torch', 'datasets', 'pycocotools', 'rich', 'click'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_cards_say_what_cannot_be_shown(out: Path) -> None:
    """A broken picture took the card away, with a traceback in its place."""
    tree = segprep.open(out)
    tree[0].image_path.write_bytes(b"nothing")
    html = tree._repr_html_()
    assert "img0 cannot be shown: is not an image" in html
    assert html.count("<img") == 3
    assert "cannot be shown" in tree[0]._repr_html_()
