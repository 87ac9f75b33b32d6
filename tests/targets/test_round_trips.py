"""Tree to export and back: identical masks, for every target whose format is also read.

Two trees: one with ignored pixels, holes and objects, and one whose background is not class 0.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import segprep
from segprep.dataset.tree import Tree
from segprep.imaging.image import read_mask, write_mask
from segprep.types import Classes

Ids = Callable[[Path, str], "np.ndarray[Any, Any]"]
CASES = {
    "voc": ("voc", "voc", "VOCdevkit/VOC2007", {}),
    "datumaro": ("datumaro", "voc", "", {}),
    "cvat": ("cvat", "voc", "", {"images": True}),
    "mmseg": ("mmseg", "voc", "", {"images": "png"}),
    "cityscapes": ("cityscapes", "cityscapes", "", {}),
    "labelme-masks": ("labelme", "labelme", "", {"shapes": "mask"}),
    "labelme-polygons": ("labelme", "labelme", "", {}),
    "coco-rle": ("coco", "coco", "", {}),
    "coco-polygons": ("coco", "coco", "", {"segmentation": "polygon"}),
    "yolo-seg": ("yolo-seg", "yolo-seg", "", {}),
}
LOSE_IGNORED = ("coco", "yolo-seg")


@pytest.fixture(params=["rich", "moved"])
def tree(request: pytest.FixtureRequest, rich: Path, tmp_path: Path) -> Path:
    """*rich*, and the same with its background as class 1."""
    if request.param == "rich":
        return rich
    moved = tmp_path / "moved"
    shutil.copytree(rich, moved)
    for name in ("segprep.json", "records.jsonl", "labelmap.txt"):
        (moved / name).unlink()
    (moved / "class_names.txt").write_text("cat\n_background_\ndog\n")
    table = np.arange(256, dtype=np.uint8)
    table[:2] = 1, 0
    for path in (moved / "SegmentationClass").glob("*.png"):
        write_mask(path, table[read_mask(path)])
    return moved


def plain(classes: Classes | None) -> list[str]:
    assert classes
    return [name.strip("_") for name in classes.names]


def back(tree: Path, case: str, folder: Path) -> tuple[Path, dict[int, int]]:
    """The tree that comes back, and which of its values are which of *tree*'s."""
    target, source, inner, options = CASES[case]
    segprep.export(target, tree, folder / "out", **options)
    given: dict[str, Any] = {}
    if source == "labelme":
        given["classes"] = str(folder / "out/labels.txt")
    segprep.convert(source, folder / "out" / inner, folder / "again", **given)
    names = plain(Tree(tree).classes())
    found = plain(Tree(folder / "again").classes())
    return folder / "again", {n: names.index(name) for n, name in enumerate(found)} | {255: 255}


@pytest.mark.parametrize("case", CASES)
def test_masks_come_back(case: str, tree: Path, ids: Ids, tmp_path: Path) -> None:
    again, table = back(tree, case, tmp_path)
    lookup = np.full(256, 254, np.uint8)
    lookup[list(table)] = list(table.values())
    assert Tree(again).stems() == Tree(tree).stems()
    assert len(table) == 4
    background = Tree(tree).classes().background  # type: ignore[union-attr]
    ignored = 0
    for stem in Tree(tree).stems():
        truth = ids(tree, stem)
        ignored += int((truth == 255).sum())
        if CASES[case][0] in LOSE_IGNORED:
            truth = np.where(truth == 255, background, truth)
        assert (lookup[ids(again, stem)] == truth).all(), stem
    assert ignored
    lists = {name: set(stems) for name, stems in Tree(again).lists().items()}
    if lists and case != "cvat":
        for name in ("train", "val", "test"):
            assert lists[name] == set(Tree(tree).lists()[name])


POLYGONS = ("labelme-polygons", "coco-polygons", "yolo-seg")


def ious(case: str, ids: Ids, tmp_path: Path, **cost: float) -> "np.ndarray[Any, Any]":
    """The IoU of each class of *tmp_path*/tree with what comes back."""
    target, source, inner, options = CASES[case]
    segprep.export(target, tmp_path / "tree", tmp_path / "out", **cost, **options)
    given = {"classes": str(tmp_path / "out/labels.txt")} if source == "labelme" else {}
    segprep.convert(source, tmp_path / "out" / inner, tmp_path / "again", **given)
    classes = len(Tree(tmp_path / "tree").classes().names)  # type: ignore[union-attr]
    both, either = np.zeros(classes), np.zeros(classes)
    for stem in Tree(tmp_path / "tree").stems():
        truth, found = ids(tmp_path / "tree", stem), ids(tmp_path / "again", stem)
        counted = truth != 255
        for value in range(classes):
            one, other = (truth == value) & counted, (found == value) & counted
            both[value] += (one & other).sum()
            either[value] += (one | other).sum()
    return np.asarray(both / either)


@pytest.mark.parametrize("tolerance", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("case", POLYGONS)
def test_fewer_points_keep_every_class(
    case: str, tolerance: float, ids: Ids, tmp_path: Path
) -> None:
    """On the bundled example with its holes."""
    examples = Path(__file__).parents[2] / "examples" / "shapes"
    segprep.convert("labelme", examples, tmp_path / "tree")
    found = ious(case, ids, tmp_path, tolerance=tolerance, max_loss=0.005)
    assert found.min() >= 0.995


@pytest.mark.parametrize("case", POLYGONS)
def test_fewer_points_keep_thin_shapes(case: str, ids: Ids, tmp_path: Path) -> None:
    """Rings of one pixel and curves of two lost a tenth of theirs to a tolerance of one pixel."""
    rows, columns = np.mgrid[:120, :160]
    mask = (np.abs(rows - 60 - 20 * np.sin(columns / 9)) < 1.2).astype(np.uint8)
    mask[np.abs(np.hypot(rows - 60, columns - 80) - 50) < 0.8] = 2
    for folder in ("JPEGImages", "SegmentationClass"):
        (tmp_path / "tree" / folder).mkdir(parents=True)
    Image.new("RGB", (160, 120)).save(tmp_path / "tree/JPEGImages/a.jpg")
    write_mask(tmp_path / "tree/SegmentationClass/a.png", mask)
    (tmp_path / "tree/class_names.txt").write_text("_background_\nvessel\nring\n")
    assert ious(case, ids, tmp_path, tolerance=1.0).min() >= 0.95


def test_auto_finds_the_polygons_beside_the_readme(rich: Path, tmp_path: Path) -> None:
    segprep.export("yolo-seg", rich, tmp_path / "out")
    done = segprep.convert("auto", tmp_path / "out", tmp_path / "again")
    assert done.converted == 10
    assert (Tree(tmp_path / "again").manifest.source["format"]) == "yolo-seg"  # type: ignore[union-attr]


def test_cityscapes_own_classes_are_not_read(rich: Path, tmp_path: Path) -> None:
    """Ids of class_names.txt were once taken for road, sidewalk, building."""
    segprep.export("cityscapes", rich, tmp_path / "out")
    done = segprep.convert("cityscapes", tmp_path / "out", tmp_path / "again")
    assert [name.strip("_") for name in done.classes] == ["background", "cat", "dog"]
    assert "classes-found" in {note.code for note in done.notes}


@pytest.mark.parametrize("case", ["labelme-polygons", "coco-polygons"])
def test_the_record_of_an_export_is_not_an_input_that_was_skipped(
    case: str, rich: Path, tmp_path: Path
) -> None:
    target, source, inner, options = CASES[case]
    segprep.export(target, rich, tmp_path / "out", **options)
    assert not segprep.convert(source, tmp_path / "out" / inner, tmp_path / "again").skipped
