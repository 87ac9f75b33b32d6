"""Several trees to one: classes by name, names kept apart, lists joined, one picture drawn
twice.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image
from segprep_cli.main import group

import segprep
from segprep.dataset.tree import Tree
from segprep.errors import BadInputError, TreeError, UsageError
from segprep.imaging.image import encode_mask, read_mask


def put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def tree(root: Path, names: str, lists: bool = True, **masks: Any) -> Path:
    """A tree without a manifest: STEM=(gray level of the picture, mask)."""
    for stem, (level, mask) in masks.items():
        put(root / f"SegmentationClass/{stem}.png", encode_mask(np.array(mask, np.uint8)))
        (root / "JPEGImages").mkdir(exist_ok=True)
        Image.new("L", np.array(mask).shape[::-1], level).save(root / f"JPEGImages/{stem}.png")
    (root / "class_names.txt").write_text(names)
    if lists:
        put(root / "ImageSets/Segmentation/train.txt", "".join(f"{s}\n" for s in masks).encode())
    return root


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    first = tree(
        tmp_path / "a", "_background_\ncat\ndog\n", x=(1, [[0, 1, 2, 255]]), y=(2, [[1, 1]])
    )
    second = tree(
        tmp_path / "b", "background\ncow\ncat\n", x=(3, [[0, 1, 2, 255]]), z=(4, [[2, 0]])
    )
    return first, second


def command(*arguments: str | Path) -> Result:
    return CliRunner().invoke(group, ["merge", *map(str, arguments)], prog_name="segprep")


def test_classes_names_and_lists(pair: tuple[Path, Path], tmp_path: Path) -> None:
    done = segprep.merge(*pair, out=tmp_path / "out")
    out = Tree(tmp_path / "out")
    assert done.conversion.classes == ("_background_", "cat", "dog", "cow")
    assert out.stems() == ("a_x", "b_x", "y", "z")
    values = {stem: read_mask(out.mask_path(stem)).tolist() for stem in out.stems()}
    assert values["a_x"] == [[0, 1, 2, 255]]
    assert values["b_x"] == [[0, 3, 1, 255]]
    assert values["z"] == [[1, 0]]
    assert set(out.lists()["train"]) == {"a_x", "y", "b_x", "z"}
    assert [note.code for note in done.conversion.notes] == ["stem-prefixed"]
    origin = Tree(pair[1]).image_path("z")
    assert origin
    assert out.image_path("z").read_bytes() == origin.read_bytes()  # type: ignore[union-attr]
    again = segprep.merge(*pair, out=tmp_path / "out")
    assert (again.conversion.written, again.conversion.kept) == (False, 4)


def test_names_that_differ_in_case_are_said(tmp_path: Path) -> None:
    first = tree(tmp_path / "a", "_background_\ncat\n", x=(1, [[1]]))
    second = tree(tmp_path / "b", "_background_\nCat\n", y=(2, [[1]]))
    done = segprep.merge(first, second, out=tmp_path / "out")
    assert done.conversion.classes == ("_background_", "cat", "Cat")
    (note,) = done.conversion.notes
    assert (note.code, "segprep remap --map 'Cat'='cat'" in note.message) == ("label-variant", True)


def test_a_tree_without_lists_leaves_the_result_without(tmp_path: Path) -> None:
    first = tree(tmp_path / "a", "_background_\ncat\n", x=(1, [[1]]))
    second = tree(tmp_path / "b", "_background_\ncat\n", lists=False, y=(2, [[1]]))
    done = segprep.merge(first, second, out=tmp_path / "out")
    assert Tree(tmp_path / "out").lists() == {}
    assert [note.code for note in done.conversion.notes] == ["no-split"]


def test_one_picture_in_two_datasets(tmp_path: Path) -> None:
    first = tree(tmp_path / "anna", "_background_\ncat\n", x=(9, [[0, 1, 1, 1]]), y=(1, [[0, 0]]))
    second = tree(tmp_path / "ben", "_background_\ncat\n", p=(9, [[0, 0, 1, 255]]), q=(2, [[1, 1]]))
    with pytest.raises(TreeError) as caught:
        segprep.merge(first, second, out=tmp_path / "out")
    assert (caught.value.code, "anna/x = ben/p" in caught.value.message) == ("same-image", True)
    done = segprep.merge(first, second, out=tmp_path / "first", same_image="first")
    assert Tree(tmp_path / "first").stems() == ("q", "x", "y")
    assert Tree(tmp_path / "first").lists()["train"] == ("q", "x", "y")
    assert {(one.name, one.images, one.iou) for one in done.agreement} == {
        ("_background_", 1, 0.5),
        ("cat", 1, 0.5),
    }
    segprep.merge(first, second, out=tmp_path / "keep", same_image="keep")
    assert Tree(tmp_path / "keep").stems() == ("p", "q", "x", "y")


def test_what_cannot_be_merged(pair: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        segprep.merge(pair[0], out=tmp_path / "out")
    with pytest.raises(UsageError):
        segprep.merge(pair[0], pair[0], out=tmp_path / "out")
    with pytest.raises(UsageError) as overlapping:
        segprep.merge(*pair, out=pair[1] / "out")
    assert overlapping.value.code == "output-overlaps-source"
    put(pair[1] / "SegmentationClass/z.png", encode_mask(np.array([[7, 0]], np.uint8)))
    with pytest.raises(BadInputError) as caught:
        segprep.merge(*pair, out=tmp_path / "out")
    assert caught.value.skipped[0].code == "unknown-value"  # type: ignore[attr-defined]
    (pair[1] / "class_names.txt").unlink()
    with pytest.raises(TreeError) as nameless:
        segprep.merge(*pair, out=tmp_path / "out")
    assert nameless.value.code == "classes-needed"


def test_the_command(pair: tuple[Path, Path], tmp_path: Path) -> None:
    result = command(*pair, tmp_path / "out", "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert (document["converted"], document["classes"][3], document["agreement"]) == (4, "cow", [])
    put(pair[1] / "SegmentationClass/z.png", encode_mask(np.array([[7, 0]], np.uint8)))
    result = command(*pair, tmp_path / "two", "--json")
    assert (result.exit_code, json.loads(result.stdout)["error"]) == (1, "bad-input")


def test_more_classes_than_a_mask_holds(tmp_path: Path) -> None:
    many = "".join(f"c{n}\n" for n in range(255))
    first = tree(tmp_path / "a", many, x=(1, [[0, 254]]))
    second = tree(tmp_path / "b", "d0\nd1\n", y=(2, [[0, 1]]))
    with pytest.raises(TreeError) as caught:
        segprep.merge(first, second, out=tmp_path / "out")
    assert (caught.value.code, "257 classes together" in str(caught.value)) == (
        "too-many-classes",
        True,
    )


def test_one_picture_in_train_and_in_val_is_said(tmp_path: Path) -> None:
    first = tree(tmp_path / "a", "_background_\ncat\n", x=(1, [[0, 1]]), y=(2, [[0, 1]]))
    second = tree(tmp_path / "b", "_background_\ncat\n", x=(1, [[0, 1]]), z=(3, [[0, 1]]))
    lists = second / "ImageSets/Segmentation"
    done = segprep.merge(first, second, out=tmp_path / "same", same_image="keep")
    assert "equal-images-apart" not in {note.code for note in done.conversion.notes}
    (lists / "train.txt").rename(lists / "val.txt")
    done = segprep.merge(first, second, out=tmp_path / "apart", same_image="keep")
    (note,) = [one for one in done.conversion.notes if one.code == "equal-images-apart"]
    assert "1 images are in several lists: a_x in train, b_x in val" in note.message
    done = segprep.merge(first, second, out=tmp_path / "first", same_image="first")
    assert "equal-images-apart" not in {note.code for note in done.conversion.notes}


def test_merging_elsewhere_gives_the_same_bytes(tmp_path: Path) -> None:
    written = []
    for name in ("here", "there"):
        first = tree(tmp_path / name / "a", "_background_\ncat\n", x=(1, [[1]]))
        second = tree(tmp_path / name / "b", "_background_\ncat\n", y=(2, [[1]]))
        segprep.merge(first, second, out=tmp_path / name / "out")
        written.append((tmp_path / name / "out" / "records.jsonl").read_bytes())
    assert written[0] == written[1]


def test_a_dataset_alone_without_repeated_pictures(tmp_path: Path) -> None:
    root = tree(
        tmp_path / "a",
        "_background_\ncat\n",
        x=(1, [[0, 1, 1, 1]]),
        y=(2, [[0, 1, 1, 1]]),
        z=(1, [[0, 0, 1, 1]]),
    )
    with pytest.raises(UsageError) as caught:
        segprep.merge(root, out=tmp_path / "out")
    assert "--same-image first" in caught.value.hint
    done = segprep.merge(root, out=tmp_path / "out", same_image="first")
    out = Tree(tmp_path / "out")
    assert out.stems() == ("x", "y")
    assert out.lists()["train"] == ("x", "y")
    assert "a/x = a/z" in " ".join(note.message for note in done.conversion.notes)
    assert {row.name: row.iou for row in done.agreement} == {"_background_": 0.5, "cat": 2 / 3}
    assert read_mask(out.mask_path("x")).tolist() == [[0, 1, 1, 1]]
