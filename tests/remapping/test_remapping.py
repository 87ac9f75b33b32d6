"""A tree with other classes: one table for every pixel, all else as it was."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from folders import content
from PIL import Image
from remapping.trees import command, foreign, masks_of, place

import segprep
from segprep.dataset.tree import Tree
from segprep.errors import BadInputError, SegprepError
from segprep.imaging.image import encode_objects, read_mask


def test_merging_leaves_images_lists_and_split_alone(ours: Path, tmp_path: Path) -> None:
    before = content(ours)
    made = segprep.remap(ours, tmp_path / "new", map=("cat=pet", "dog=pet"), jobs=2)
    assert content(ours) == before
    after = content(tmp_path / "new")
    for name in before:
        if name.startswith(("JPEGImages", "ImageSets")):
            assert after[name] == before[name]
    wanted = {stem: np.choose(mask, [0, 1, 2, 1]).tolist() for stem, mask in masks_of(ours).items()}
    assert masks_of(tmp_path / "new") == wanted
    assert made.conversion.classes == ("_background_", "pet", "cow")
    assert made.table[3] == (3, "dog", 1, "pet")
    assert after["class_names.txt"] == b"_background_\npet\ncow\n"
    new = Tree(tmp_path / "new").manifest
    assert new
    assert (new.source["format"], new.source["path"], new.source["options"]["map"]) == (
        "remap",
        "../ours",
        ["cat=pet", "dog=pet"],
    )
    assert new.split == Tree(ours).manifest.split  # type: ignore[union-attr]
    for record in Tree(tmp_path / "new").records():
        assert record.pixels == {
            value: int((np.asarray(wanted[record.stem]) == value).sum()) for value in record.pixels
        }
    segprep.split(tmp_path / "new", update=True)
    assert {
        name: data
        for name, data in content(tmp_path / "new").items()
        if name.startswith("ImageSets")
    } == {name: data for name, data in before.items() if name.startswith("ImageSets")}


def test_twice_swapped_is_as_it_was(ours: Path, tmp_path: Path) -> None:
    swap = ("cat=dog", "dog=cat")
    segprep.remap(ours, tmp_path / "once", map=swap)
    segprep.remap(tmp_path / "once", tmp_path / "twice", map=swap)
    assert masks_of(tmp_path / "once") != masks_of(ours)
    for name, data in content(tmp_path / "twice").items():
        if name not in ("segprep.json", "records.jsonl"):
            assert data == content(ours)[name]


def test_any_number_of_jobs_gives_the_same_bytes(tmp_path: Path) -> None:
    root = foreign(tmp_path / "theirs", {f"m{n}": [[n % 4, 1], [2, 255]] for n in range(90)})
    segprep.remap(root, tmp_path / "one", map=("1=2", "2=1"))
    segprep.remap(root, tmp_path / "two", map=("1=2", "2=1"), jobs=2)
    assert content(tmp_path / "one") == content(tmp_path / "two")


def test_the_same_again_writes_nothing_and_a_new_mask_is_added(
    ours: Path, source: Path, tmp_path: Path, make: Callable[..., Path]
) -> None:
    segprep.remap(ours, tmp_path / "new", drop=("cow",))
    again = segprep.remap(ours, tmp_path / "new", drop=("cow",))
    assert (again.conversion.written, again.conversion.kept) == (False, 12)
    make(
        source,
        "later",
        {"label": "dog", "points": [[2, 2], [5, 2], [5, 5]], "shape_type": "polygon"},
    )
    segprep.convert("labelme", source, ours, objects=True)
    more = segprep.remap(ours, tmp_path / "new", drop=("cow",))
    assert (more.conversion.converted, more.conversion.kept) == (1, 12)
    with pytest.raises(SegprepError) as caught:
        segprep.remap(ours, tmp_path / "new", drop=("dog",))
    assert caught.value.code == "tree-exists"
    assert segprep.remap(
        ours, tmp_path / "new", drop=("dog",), overwrite=True
    ).conversion.classes == ("_background_", "cat", "cow")


def test_objects_stay_but_where_their_class_goes(tmp_path: Path) -> None:
    root = foreign(
        tmp_path / "theirs", {"a": [[0, 1, 2], [3, 3, 255]]}, "_background_\ncat\ncow\ndog\n"
    )
    place(
        root / "SegmentationObject/a.png",
        encode_objects(np.array([[0, 1, 2], [3, 4, 65535]], np.uint16)),
    )
    segprep.remap(root, tmp_path / "a", drop=("cat",))
    assert read_mask(tmp_path / "a/SegmentationObject/a.png").tolist() == [[0, 0, 2], [3, 4, 255]]
    segprep.remap(root, tmp_path / "b", drop=("cow", "dog"), drop_as="ignore")
    assert read_mask(tmp_path / "b/SegmentationObject/a.png").tolist() == [
        [0, 1, 255],
        [255, 255, 255],
    ]
    segprep.remap(root, tmp_path / "c", map=("cat=cow", "__ignore__=cow"))
    assert read_mask(tmp_path / "c/SegmentationObject/a.png").tolist() == [[0, 1, 2], [3, 4, 0]]
    assert read_mask(tmp_path / "c/SegmentationClass/a.png").tolist() == [[0, 1, 1], [2, 2, 1]]


def test_sixteen_bit_objects_stay_sixteen_bit(tmp_path: Path) -> None:
    ids = np.arange(40_000, 40_600, dtype=np.uint16).reshape(20, 30)
    root = foreign(tmp_path / "theirs", {"a": [[1] * 30] * 20}, "_background_\ncat\n")
    place(root / "SegmentationObject/a.png", encode_objects(ids))
    segprep.remap(root, tmp_path / "new", map=("cat=dog",))
    assert (read_mask(tmp_path / "new/SegmentationObject/a.png") == ids).all()


def test_black_and_white_masks_are_repaired_by_ids(tmp_path: Path) -> None:
    root = foreign(tmp_path / "theirs", {"a": [[0, 255], [255, 0]], "b": [[0, 0], [0, 255]]})
    place(root / "ImageSets/Segmentation/train.txt", b"a\nnowhere\n")
    result = command(root, tmp_path / "new", "--ids", "0=background,255=cell", "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["classes"] == ["background", "cell"]
    assert document["table"] == [
        {"value": 0, "class": "background", "new_value": 0, "new_class": "background"},
        {"value": 255, "class": "cell", "new_value": 1, "new_class": "cell"},
    ]
    assert masks_of(tmp_path / "new") == {"a": [[0, 1], [1, 0]], "b": [[0, 0], [0, 1]]}
    assert [note["code"] for note in document["notes"]] == ["listed-missing"]
    assert Tree(tmp_path / "new").lists() == {"train": ("a",)}
    assert content(tmp_path / "new")["JPEGImages/a.jpg"] == content(root)["JPEGImages/a.jpg"]


def test_black_and_white_masks_read_as_ignored_are_pointed_out(tmp_path: Path) -> None:
    root = foreign(
        tmp_path / "theirs",
        {"a": [[0, 255], [255, 0]], "b": [[0, 1], [1, 255]], "c": [[0, 0], [0, 0]]},
        "_background_\ncat\n",
    )
    done = segprep.remap(root, tmp_path / "new", map=("cat=dog",))
    assert [(note.stem, note.code) for note in done.conversion.notes] == [("a", "values-unclear")]
    assert not [
        note
        for note in segprep.remap(
            root, tmp_path / "fixed", ids="0=background,1=cat,255=cat"
        ).conversion.notes
        if note.stem
    ]


def test_masks_without_any_class_names(tmp_path: Path) -> None:
    root = foreign(tmp_path / "theirs", {"a": [[0, 255], [255, 0]]})
    segprep.remap(root, tmp_path / "new", map=("255=1",))
    assert masks_of(tmp_path / "new") == {"a": [[0, 1], [1, 0]]}
    assert Tree(tmp_path / "new").classes() == segprep.Classes(("_background_", "class_1"))
    segprep.remap(root, tmp_path / "named", classes="nothing,cell", map=("ignore=cell",))
    assert (masks_of(tmp_path / "named"), Tree(tmp_path / "named").classes().names) == (
        {"a": [[0, 1], [1, 0]]},
        ("nothing", "cell"),
    )


def test_a_stopped_run_goes_on_and_ends_like_a_clean_one(ours: Path, tmp_path: Path) -> None:
    stem = Tree(ours).stems()[5]
    good = Tree(ours).mask_path(stem).read_bytes()
    Tree(ours).mask_path(stem).write_bytes(good[: good.index(b"IDAT") + 12])
    with pytest.raises(BadInputError) as caught:
        segprep.remap(ours, tmp_path / "new", drop=("cow",))
    assert [one.code for one in caught.value.skipped] == ["image-damaged"]  # type: ignore[attr-defined]
    assert len((tmp_path / "new/.segprep-incomplete/journal.jsonl").read_bytes().splitlines()) == 11
    Tree(ours).mask_path(stem).write_bytes(good)
    segprep.remap(ours, tmp_path / "new", drop=("cow",))
    segprep.remap(ours, tmp_path / "clean", drop=("cow",))
    assert content(tmp_path / "new") == content(tmp_path / "clean")


def test_a_dry_run_reads_everything_and_writes_nothing(ours: Path, tmp_path: Path) -> None:
    result = command(ours, tmp_path / "new", "--map", "cat=dog", "-n")
    assert result.exit_code == 0
    assert "12 samples would be remapped" in result.stdout
    assert not (tmp_path / "new").exists()


def test_gray_masks_stay_gray(source: Path, tmp_path: Path) -> None:
    segprep.convert("labelme", source, tmp_path / "ours", mask_mode="gray")
    segprep.remap(tmp_path / "ours", tmp_path / "new", drop=("cow",))
    with Image.open(tmp_path / "new/SegmentationClass/img0.png") as mask:
        assert mask.mode == "L"
    segprep.remap(tmp_path / "ours", tmp_path / "palette", drop=("cow",), mask_mode="palette")
    with Image.open(tmp_path / "palette/SegmentationClass/img0.png") as mask:
        assert mask.mode == "P"


def test_the_official_voc_export(real: Path, tmp_path: Path) -> None:
    """labelme's own VOC export, which segprep did not make: two classes merged, checked against
    NumPy.
    """
    folder = real / "labelme/semantic_segmentation/data_dataset_voc"
    made = segprep.remap(folder, tmp_path / "new", map=("bus=car",), jobs=2)
    was = Tree(folder).classes()
    assert was
    number = {name: n for n, name in enumerate(made.conversion.classes)}
    assert len(number) == len(was.names) - 1
    table = np.array(
        [number["car" if name == "bus" else name] for name in was.names]
        + [255] * (256 - len(was.names))
    )
    for stem in Tree(folder).stems():
        old = read_mask(Tree(folder).mask_path(stem))
        assert (read_mask(Tree(tmp_path / "new").mask_path(stem)) == table[old]).all()
        assert (
            Tree(tmp_path / "new").image_path(stem).read_bytes()
            == Tree(folder).image_path(stem).read_bytes()
        )
