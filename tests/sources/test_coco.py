"""COCO files: shapes, crowds, categories, objects."""

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import segprep
from segprep.errors import SourceError, UsageError
from segprep.sources.coco import Reader

pytest.importorskip("pycocotools.mask")
from sources.coco.makers import SQUARE, H, W, block, example, images, of, one, picture, write


@pytest.mark.parametrize(
    "segmentation",
    [
        SQUARE,
        block(2, 2, 5, 5),
        block(2, 2, 5, 5, packed=True),
        [[2, 2, 4, 2, 4, 6, 2, 6], [4, 2, 6, 2, 6, 6, 4, 6]],
    ],
)
def test_every_form_of_outline(tmp_path: Path, segmentation: Any) -> None:
    mask = one(tmp_path, of(segmentation)).mask
    expected = np.zeros((H, W), np.uint8)
    expected[2:6, 2:6] = 1
    assert (mask == expected).all()


def test_classes_are_the_categories_by_id_without_gaps(tmp_path: Path) -> None:
    sample = one(tmp_path, of(category=7))
    assert sample.mask.max() == 2
    scan = Reader(tmp_path).scan()
    assert scan.classes.names == ("_background_", "cat", "dog")
    assert [note.code for note in scan.notes] == ["classes-inferred"]


def test_a_background_category_keeps_its_place(tmp_path: Path) -> None:
    cats = [
        {"id": 0, "name": "road"},
        {"id": 1, "name": "background"},
        {"id": 2, "name": "__ignore__"},
    ]
    sample = one(tmp_path, of(category=0), of(block(0, 0, 0, 0), 2), categories=cats)
    assert (sample.mask[3, 3], sample.mask[9, 9], sample.mask[0, 0]) == (0, 1, 255)
    scan = Reader(tmp_path).scan()
    assert (scan.classes.names, scan.classes.background) == (("road", "background"), 1)


def test_official_lists_and_images_by_name(tmp_path: Path) -> None:
    scan = example(tmp_path).scan()
    assert scan.lists == {"train": ("a",), "val": ("b",)}
    assert [note.code for note in scan.notes] == ["classes-inferred", "crowd-ignored"]
    assert not scan.skipped


CROWD = {"ignore": (255, 65535), "class": (2, 0), "skip": (0, 0)}


def test_files_deep_in_a_project_are_recognized(tmp_path: Path) -> None:
    write(tmp_path / "data/annotations/final/all.json", [of()])
    evidence = Reader.recognize(tmp_path)
    assert evidence
    assert "data/annotations/final/all.json" in evidence.reason


@pytest.mark.parametrize("crowd", CROWD)
def test_crowds_lie_below_all_else(tmp_path: Path, crowd: str) -> None:
    sample = one(tmp_path, of(), of(block(0, 0, 11, 9), 7, iscrowd=1), crowd=crowd, objects=True)
    assert sample.objects is not None
    assert (int(sample.mask[0, 0]), int(sample.objects[0, 0])) == CROWD[crowd]
    assert (sample.mask[3, 3], sample.objects[3, 3]) == (1, 1)


@pytest.mark.parametrize(
    ("options", "inner"),
    [({}, 2), ({"overlap": "area"}, 1), ({"overlap": "priority", "priority": "cat"}, 1)],
)
def test_overlap_policies(tmp_path: Path, options: dict[str, Any], inner: int) -> None:
    sample = one(tmp_path, of(), of(block(0, 0, 11, 9), 7), **options)
    assert sample.mask[3, 3] == inner
    hidden = ["hidden-shape"] if inner == 2 else []
    assert [note.code for note in sample.notes] == [*hidden, "class-covered"]


def test_overlap_error_names_both(tmp_path: Path) -> None:
    with pytest.raises(
        SourceError, match=r"annotations\[0\] \(cat\) and annotations\[1\] \(dog\) share 16 pixels"
    ):
        one(tmp_path, of(), of(block(0, 0, 11, 9), 7), overlap="error")


def test_objects_are_annotations_of_things(tmp_path: Path) -> None:
    cats = [{"id": 3, "name": "cat"}, {"id": 7, "name": "grass", "isthing": 0}]
    sample = one(
        tmp_path,
        of(),
        of(block(8, 0, 8, 0)),
        of(block(0, 9, 11, 9), 7),
        categories=cats,
        objects=True,
    )
    assert sample.objects is not None
    assert (sample.objects[3, 3], sample.objects[0, 8], sample.objects[9, 9]) == (1, 2, 0)
    assert sample.objects.dtype == np.uint16


def test_classes_pick_and_order(tmp_path: Path) -> None:
    mask = one(tmp_path, of(), of(block(8, 0, 8, 0), 7), classes="dog", unknown="skip").mask
    assert (mask[3, 3], mask[0, 8]) == (0, 1)
    mask = one(tmp_path, of(), of(block(8, 0, 8, 0), 7), classes="dog", unknown="ignore").mask
    assert (mask[3, 3], mask[0, 8]) == (255, 1)
    assert one(tmp_path, of(), classes="dog,cat").mask[3, 3] == 2
    with pytest.raises(UsageError, match=r"not in --classes; their annotations: cat \(1\)"):
        one(tmp_path, of(), classes="dog")
    assert [note.code for note in Reader(tmp_path, classes="cat,dogg").scan().notes] == [
        "class-unused"
    ]


def test_map_and_exclude(tmp_path: Path) -> None:
    mask = one(tmp_path, of(), of(block(8, 0, 8, 0), 7), map=("dog=cat",)).mask
    assert (mask[3, 3], mask[0, 8]) == (1, 1)
    assert one(tmp_path, of(), map=("cat=__ignore__",)).mask[3, 3] == 255
    assert one(tmp_path, of(), map=("cat=_background_",), classes="dog").mask[3, 3] == 0
    assert not one(tmp_path, of(), exclude=("cat",)).mask.any()
    with pytest.raises(UsageError, match="did you mean 'cat'"):
        one(tmp_path, of(), exclude=("catt",))


def test_no_annotations_is_all_background_if_the_classes_are_stated(tmp_path: Path) -> None:
    sample = one(tmp_path, classes="cat,dog")
    assert not sample.mask.any()
    assert [note.code for note in sample.notes] == ["no-shapes"]
    with pytest.raises(UsageError, match="none of the 1 annotations has a shape") as caught:
        one(tmp_path)
    assert caught.value.code == "nothing-to-convert"


def test_outlines_that_are_boxes_are_told(tmp_path: Path) -> None:
    """Converters of detection sets write the corners of each box as its segmentation."""
    corners = [(x, y) for x in range(5) for y in range(2)]
    boxes = [of([[x, y, x + 3.5, y, x + 3.5, y + 2, x, y + 2]]) for x, y in corners]
    one(tmp_path, *boxes)
    (note,) = [n for n in Reader(tmp_path).scan().notes if n.code == "boxes-alone"]
    assert note.message.startswith("10 of 10 outlines are boxes of four corners")
    triangle = of([[1.0, 1.0, 6.0, 1.0, 6.0, 6.0]])
    one(tmp_path, *boxes, triangle, triangle)
    assert "boxes-alone" not in {note.code for note in Reader(tmp_path).scan().notes}


@pytest.mark.parametrize("policy", ["ignore", "class", "skip", "error"])
def test_boxes_without_outline(tmp_path: Path, policy: str) -> None:
    boxed = of([], bbox=[2, 2, 4, 4])
    if policy == "error":
        with pytest.raises(SourceError, match=r"annotations\[0\]\.segmentation: is empty"):
            one(tmp_path, boxed)
    else:
        values = {"ignore": 255, "class": 1, "skip": 0}
        assert one(tmp_path, boxed, box_only=policy).mask[3, 3] == values[policy]


def test_a_root_category_is_not_a_class(tmp_path: Path) -> None:
    """Roboflow: id 0 has no annotation, and all others name it as their supercategory."""
    categories = [
        {"id": 0, "name": "court", "supercategory": "none"},
        {"id": 1, "name": "court", "supercategory": "court"},
        {"id": 2, "name": "net", "supercategory": "court"},
    ]
    picture(tmp_path / "images/a.png")
    write(tmp_path / "coco/x.json", [of(category=2)], images("a.png"), categories)
    reader = Reader(tmp_path)
    scan = reader.scan()
    assert scan.classes.names == ("_background_", "court", "net")
    assert int(reader.read(scan.items[0]).mask.max()) == 2
    assert [note.code for note in scan.notes] == ["classes-inferred", "root-category"]


def test_a_category_with_annotations_is_a_class_whatever_others_say(tmp_path: Path) -> None:
    categories = [
        {"id": 0, "name": "court", "supercategory": "none"},
        {"id": 2, "name": "net", "supercategory": "court"},
    ]
    picture(tmp_path / "images/a.png")
    write(tmp_path / "coco/x.json", [of(category=0)], images("a.png"), categories)
    assert Reader(tmp_path).scan().classes.names == ("_background_", "court", "net")


def test_images_that_nobody_lists_are_counted(tmp_path: Path) -> None:
    example(tmp_path)
    picture(tmp_path / "images/val2017/c.png")
    assert [
        note.message[:14]
        for note in Reader(tmp_path).scan().notes
        if note.code == "image-unlabelled"
    ] == ["1 more images "]


def test_annotation_ids_that_repeat_lose_nothing(tmp_path: Path) -> None:
    sample = one(tmp_path, of(id=1), of(block(8, 0, 8, 0), 7, id=1))
    assert (sample.mask[3, 3], sample.mask[0, 8]) == (1, 2)
    assert "duplicate-id" in [note.code for note in Reader(tmp_path).scan().notes]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_any_unicode_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    """PowerShell redirects text into UTF-16."""
    example(tmp_path)
    expected = [item.stem for item in Reader(tmp_path).scan().items]
    for path in tmp_path.rglob("*.json"):
        path.write_bytes(path.read_text("utf-8").encode(encoding))
    assert [item.stem for item in Reader(tmp_path).scan().items] == expected
    evidence = Reader.recognize(tmp_path)
    assert evidence is not None
    assert "images, annotations and categories" in evidence.reason


def test_images_of_lvis_are_named_by_their_address(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    write(tmp_path / "lvis.json", [of()], images("a.png"))
    content = json.loads((tmp_path / "lvis.json").read_text())
    for entry in content["images"]:
        entry["coco_url"] = f"http://images.cocodataset.org/train2017/{entry.pop('file_name')}"
    (tmp_path / "lvis.json").write_text(json.dumps(content))
    assert [item.stem for item in Reader(tmp_path).scan().items] == ["a"]


def test_ids_may_be_text(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    write(
        tmp_path / "x.json",
        [of(category="c", image="i")],
        [{"id": "i", "file_name": "a.png"}],
        [{"id": "c", "name": "cat"}],
    )
    reader = Reader(tmp_path)
    assert reader.read(reader.scan().items[0]).mask.max() == 1


def test_payloads_hold_only_their_own_annotations(tmp_path: Path) -> None:
    names = [f"{number}.png" for number in range(50)]
    for name in names:
        picture(tmp_path / name)
    write(
        tmp_path / "x.json", [of(image=1 + number % 50) for number in range(5000)], images(*names)
    )
    sizes = {len(pickle.dumps(item)) for item in Reader(tmp_path).scan().items}
    assert max(sizes) < 20_000 < (tmp_path / "x.json").stat().st_size / 10


def test_real_samples(tmp_path: Path, real: Path) -> None:
    """Two published images twice: panoptic PNGs, and the same segments as run lengths.

    They agree wherever someone labeled something.
    """
    source = real / "formats/panoptic_coco"
    for name in ("panoptic_examples.json", "panoptic_coco_detection_format.json"):
        assert segprep.convert("coco", source, tmp_path / name, annotations=(name,)).converted == 2
    for stem, void in (("000000142238", 2712), ("000000439180", 7189)):
        first, second = (
            segprep.read_mask(out / f"SegmentationClass/{stem}.png")
            for out in sorted(tmp_path.glob("p*"), reverse=True)
        )
        assert int((first != second).sum()) == void
        assert set(
            zip(first[first != second].tolist(), second[first != second].tolist(), strict=True)
        ) == {(255, 0)}
    formats = real / "formats"
    done = segprep.convert(
        "coco",
        formats / "coco_instances_labelformat",
        tmp_path / "out",
        annotations=("instances.json",),
        image_root=(formats / "yolo_seg_labelformat",),
    )
    assert (done.converted, done.classes) == (
        2,
        ("_background_", "kite", "person", "elephant", "sports ball"),
    )
