"""labelme JSON: what is drawn again is the mask it was made of; holes, ignored pixels, edits."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from segprep_cli.main import group

import segprep
from segprep.dataset.tree import Tree
from segprep.errors import BadInputError, UsageError
from segprep.imaging.image import write_mask
from segprep.targets._common import shapes

Ids = Callable[[Path, str], "np.ndarray[Any, Any]"]


def back(tree: Path, tmp_path: Path, ids: Ids, **options: Any) -> tuple[int, dict[int, float]]:
    """Pixels that differ after the way there and back, and the IoU per value."""
    out, again = tmp_path / "json", tmp_path / "again"
    segprep.export("labelme", tree, out, **options)
    segprep.convert("labelme", out, again, classes=str(out / "labels.txt"))
    assert Tree(again).stems() == Tree(tree).stems()
    assert Tree(again).classes().names == Tree(tree).classes().names  # type: ignore[union-attr]
    pairs = [(ids(tree, stem), ids(again, stem)) for stem in Tree(tree).stems()]
    values = {int(value) for first, _ in pairs for value in np.unique(first)}
    both = {v: sum(int(((a == v) & (b == v)).sum()) for a, b in pairs) for v in values}
    either = {v: sum(int(((a == v) | (b == v)).sum()) for a, b in pairs) for v in values}
    return sum(int((a != b).sum()) for a, b in pairs), {v: both[v] / either[v] for v in values}


def test_mask_shapes_lose_no_pixel(rich: Path, ids: Ids, tmp_path: Path) -> None:
    assert back(rich, tmp_path, ids, shapes="mask")[0] == 0


def test_exact_polygons_lose_no_pixel(rich: Path, ids: Ids, tmp_path: Path) -> None:
    assert back(rich, tmp_path, ids, shapes="polygon")[0] == 0


def test_polygons_keep_holes_and_what_lies_in_them(rich: Path, ids: Ids, tmp_path: Path) -> None:
    _, iou = back(rich, tmp_path, ids)
    assert min(iou.values()) >= 0.995, iou
    content = json.loads((tmp_path / "json/s1.json").read_bytes())
    assert [shape["label"] for shape in content["shapes"]] == ["cat", "_background_", "dog"]
    assert (content["imageData"], content["imagePath"]) == (None, "s1.jpg")
    assert (tmp_path / "json/labels.txt").read_text() == "__ignore__\n_background_\ncat\ndog\n"


@pytest.mark.parametrize("shapes", ["polygon", "mask"])
def test_the_bundled_example(shapes: str, ids: Ids, tmp_path: Path) -> None:
    source = Path(__file__).parents[2] / "examples/shapes"
    segprep.convert("labelme", source, tmp_path / "tree")
    differing, iou = back(tmp_path / "tree", tmp_path, ids, shapes=shapes)
    assert min(iou.values()) == 1.0, iou
    assert differing == 0


def test_fewer_points_keep_every_class(ids: Ids, tmp_path: Path) -> None:
    source = Path(__file__).parents[2] / "examples/shapes"
    segprep.convert("labelme", source, tmp_path / "tree")
    _, iou = back(tmp_path / "tree", tmp_path, ids, tolerance=1.0, max_loss=1.0)
    assert min(iou.values()) >= 0.95, iou


def test_the_loss_is_the_number_of_pixels_that_differ(ids: Ids, tmp_path: Path) -> None:
    source = Path(__file__).parents[2] / "examples/shapes"
    segprep.convert("labelme", source, tmp_path / "tree")
    done = segprep.export(
        "labelme", tmp_path / "tree", tmp_path / "json", tolerance=2.0, max_loss=1.0
    )
    segprep.convert(
        "labelme", tmp_path / "json", tmp_path / "again", classes=str(tmp_path / "json/labels.txt")
    )
    differing = sum(
        int((ids(tmp_path / "tree", stem) != ids(tmp_path / "again", stem)).sum())
        for stem in Tree(tmp_path / "tree").stems()
    )
    (note,) = [note for note in done.notes if note.code == "not-held"]
    assert note.message.startswith(f"{differing:,} pixels lie on the other side")


def test_predictions_become_shapes(rich: Path, ids: Ids, tmp_path: Path) -> None:
    predictions = tmp_path / "runs"
    predictions.mkdir()
    mask = np.zeros((24, 32), np.uint8)
    mask[2:9, 3:7] = 2
    write_mask(predictions / "s4.png", mask)
    done = segprep.export("labelme", rich, tmp_path / "json", predictions=predictions)
    assert (done.samples, [note.code for note in done.notes]) == (1, ["prediction-missing"])
    content = json.loads((tmp_path / "json/s4.json").read_bytes())
    (shape,) = content["shapes"]
    assert (shape["label"], sorted(map(tuple, shape["points"]))) == (
        "dog",
        [(3, 2), (3, 8), (6, 2), (6, 8)],
    )
    write_mask(predictions / "s4.png", mask * 40)
    with pytest.raises(BadInputError) as caught:
        segprep.export("labelme", rich, tmp_path / "two", predictions=predictions)
    assert caught.value.skipped[0].code == "unknown-value"  # type: ignore[attr-defined]
    (predictions / "s4.png").unlink()
    with pytest.raises(UsageError) as refused:
        segprep.export("labelme", rich, tmp_path / "two", predictions=predictions)
    assert refused.value.code == "no-predictions"


def test_a_tolerance_below_0_is_a_usage_error(rich: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(
        group, ["export", "labelme", str(tmp_path / "out"), "-d", str(rich), "--tolerance", "-1"]
    )
    assert (result.exit_code, "[bad-option]" in result.stderr) == (2, True)


def test_noise_comes_back_exactly() -> None:
    mask = np.random.default_rng(1).choice(np.array([0, 1, 2, 255], np.uint8), (40, 50))
    assert shapes.polygons(mask, 0, 0.0, np.zeros(mask.shape, np.bool_)).changed == 0
    assert shapes.bounded(mask, 0, 0.0, 1.0).changed == 0


@pytest.mark.parametrize("tolerance", [0.0, 1.0])
def test_many_rims_of_ignored_pixels_are_one_mask_shape(
    tolerance: float, ids: Ids, tmp_path: Path
) -> None:
    mask = np.zeros((60, 140), np.uint8)
    for number in range(24):
        top, left = 20 * (number % 3), 17 * (number // 3)
        mask[top : top + 14, left : left + 14] = 255
        mask[top + 1 : top + 13, left + 1 : left + 13] = 1 + number % 2
    tree = tmp_path / "tree"
    for name in ("JPEGImages", "SegmentationClass"):
        (tree / name).mkdir(parents=True)
    Image.new("RGB", (140, 60), (90, 20, 20)).save(tree / "JPEGImages/a.jpg")
    write_mask(tree / "SegmentationClass/a.png", mask)
    (tree / "class_names.txt").write_text("_background_\ncat\ndog\n")
    done = segprep.export("labelme", tree, tmp_path / "json", tolerance=tolerance)
    content = json.loads((tmp_path / "json/a.json").read_bytes())
    kinds = [(shape["label"], shape["shape_type"]) for shape in content["shapes"]]
    assert kinds[-1] == ("__ignore__", "mask")
    assert sorted(kinds[:-1]) == [("cat", "polygon")] * 12 + [("dog", "polygon")] * 12
    said = [note.message for note in done.notes if note.code == "not-held"]
    assert any("ignored pixels in more than 20 places" in line for line in said)
    segprep.convert("labelme", tmp_path / "json", tmp_path / "again")
    assert (ids(tmp_path / "again", "a") == mask).all()


def test_the_readme_says_which_ids_move_on_the_way_back(ids: Ids, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    for name in ("JPEGImages", "SegmentationClass"):
        (tree / name).mkdir(parents=True)
    Image.new("RGB", (30, 20)).save(tree / "JPEGImages/a.jpg")
    mask = np.ones((20, 30), np.uint8)
    mask[4:9, 4:9], mask[4:9, 14:19] = 0, 2
    write_mask(tree / "SegmentationClass/a.png", mask)
    (tree / "class_names.txt").write_text("cat\n_background_\ndog\n")
    segprep.export("labelme", tree, tmp_path / "json")
    text = (tmp_path / "json/README.txt").read_text()
    assert "- 0 cat became 1\n- 1 _background_ became 0\n\n" in text
    labels = str(tmp_path / "json/labels.txt")
    segprep.convert("labelme", tmp_path / "json", tmp_path / "again", classes=labels)
    assert (ids(tmp_path / "again", "a") == np.array([1, 0, 2])[mask]).all()


def test_the_readme_moves_no_ids_where_the_background_is_first(rich: Path, tmp_path: Path) -> None:
    segprep.export("labelme", rich, tmp_path / "json")
    assert "became" not in (tmp_path / "json/README.txt").read_text()
