"""diff names what differs between two trees: classes, items, pixels per class, lists."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from segprep_cli.main import group

import segprep
from segprep.dataset.tree import Tree
from segprep.imaging.image import encode_mask
from segprep.verification.sheet import sheet


@pytest.fixture
def pair(source: Path, tmp_path: Path) -> tuple[Path, Path]:
    for name in ("a", "b"):
        segprep.convert("labelme", source, tmp_path / name)
    return tmp_path / "a", tmp_path / "b"


def paint(root: Path, stem: str, value: int, *, rows: int = 2) -> np.ndarray:
    """Set the upper *rows* of a mask to *value*; the mask before."""
    path = root / "SegmentationClass" / f"{stem}.png"
    mask = np.asarray(Image.open(path)).copy()
    before = mask.copy()
    mask[:rows] = value
    path.write_bytes(encode_mask(mask))
    return before


def foreign(root: Path) -> None:
    """Make *root* a tree that segprep did not make."""
    for name in ("segprep.json", "records.jsonl"):
        (root / name).unlink()


def test_equal_trees_do_not_differ(pair: tuple[Path, Path]) -> None:
    found = segprep.diff(*pair)
    assert (found.any, found.same, found.items, found.lists) == (False, 12, (), ())
    foreign(pair[0])
    assert not segprep.diff(*pair).any


def test_pixels_per_class(pair: tuple[Path, Path]) -> None:
    foreign(pair[1])
    before = paint(pair[1], "img2", 2)
    found = segprep.diff(*pair)
    names = Tree(pair[0]).classes()
    assert names
    changed = before[:2] != 2
    (item,) = found.items
    assert (item.stem, item.pixels, item.image) == ("img2", int(changed.sum()), False)
    by_name = {one.name: one for one in found.classes}
    assert by_name[names.names[2]].second_only == changed.sum()
    assert sum(one.first_only for one in found.classes) == changed.sum()
    assert found.same == 11


def test_classes_are_compared_by_name(pair: tuple[Path, Path], tmp_path: Path) -> None:
    segprep.remap(pair[0], tmp_path / "c", order="_background_,dog,cow,cat")
    found = segprep.diff(pair[0], tmp_path / "c")
    assert found.items == ()
    assert found.any
    assert {one.name: (one.first_id, one.second_id) for one in found.classes}["cow"] == (2, 2)
    segprep.remap(pair[0], tmp_path / "d", map=("cat=dog",))
    found = segprep.diff(pair[0], tmp_path / "d")
    gone = {one.name: one for one in found.classes}["cat"]
    assert (gone.second_id, gone.second_only, gone.first_only > 0) == (None, 0, True)


def test_items_images_sizes_and_lists(pair: tuple[Path, Path]) -> None:
    left, right = pair
    segprep.split(left)
    foreign(left)
    foreign(right)
    (right / "SegmentationClass/img0.png").unlink()
    (right / "SegmentationClass/img1.png").write_bytes(encode_mask(np.zeros((3, 3), np.uint8)))
    image = right / "JPEGImages/img2.jpg"
    image.write_bytes(image.read_bytes() + b"\0")
    found = segprep.diff(left, right)
    assert (found.first_only, found.second_only) == (("img0",), ())
    assert [(one.stem, one.pixels, one.image) for one in found.items] == [
        ("img1", None, False),
        ("img2", 0, True),
    ]
    assert found.lists == ("test", "train", "trainval", "val")


def test_the_sheet_shows_what_differs(pair: tuple[Path, Path]) -> None:
    foreign(pair[1])
    paint(pair[1], "img2", 1, rows=12)
    paint(pair[1], "img3", 1)
    found = segprep.diff(*pair)
    one, both = (Image.open(io.BytesIO(sheet(found, most=n))) for n in (1, 12))
    assert both.height > one.height
    pixels = np.asarray(one.convert("RGB")).reshape(-1, 3)
    assert ((pixels == (200, 30, 30)).all(axis=1)).any()


def test_the_command(pair: tuple[Path, Path], tmp_path: Path) -> None:
    left, right = map(str, pair)
    done = CliRunner().invoke(group, ["diff", left, right, "--exit-code"])
    assert (done.exit_code, "no difference in 12 samples" in done.output) == (0, True)
    foreign(pair[1])
    paint(pair[1], "img2", 1)
    png = tmp_path / "sheet.png"
    done = CliRunner().invoke(group, ["diff", left, right, "--sheet", str(png), "--exit-code"])
    assert (done.exit_code, "img2: " in done.output, png.is_file()) == (1, True, True)
    again = CliRunner().invoke(group, ["diff", left, right, "--sheet", str(png)])
    assert (again.exit_code, "output-exists" in again.stderr) == (1, True)
    inside = CliRunner().invoke(group, ["diff", left, right, "--sheet", f"{left}/x.png"])
    assert (inside.exit_code, "output-overlaps-source" in inside.stderr) == (1, True)
    document = json.loads(CliRunner().invoke(group, ["diff", left, right, "--json"]).stdout)
    assert document["differs"] is True
    assert document["items"][0]["stem"] == "img2"
