"""COCO files: shapes, crowds, categories, panoptic PNGs, images, hostile input."""

import io
import json
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import segprep
from segprep.errors import BadInputError, SourceError, UsageError
from segprep.sources.coco import Reader
from segprep.types import Sample, Unpainted

coco_masks = pytest.importorskip("pycocotools.mask")

W, H = 12, 10
SQUARE = [[2, 2, 6, 2, 6, 6, 2, 6]]  # pixels 2..5
CATS = [{"id": 7, "name": "dog"}, {"id": 3, "name": "cat"}]


def picture(path: Path, size: tuple[int, int] = (W, H)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, "gray").save(path)


def images(*names: str, **more: Any) -> list[dict[str, Any]]:
    return [
        {"id": number, "file_name": name, "height": H, "width": W} | more
        for number, name in enumerate(names, 1)
    ]


def of(
    segmentation: Any = SQUARE, category: Any = 3, image: Any = 1, **more: Any
) -> dict[str, Any]:
    return {
        "image_id": image,
        "category_id": category,
        "segmentation": segmentation,
        "iscrowd": 0,
    } | more


def write(
    path: Path,
    annotations: Sequence[Any] = (),
    pictures: Any = None,
    categories: Any = CATS,
    **more: Any,
) -> Path:
    """A COCO file; the images that it lists lie in images/ beside its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    numbered = [
        one if not isinstance(one, dict) or "id" in one else one | {"id": number}
        for number, one in enumerate(annotations, 1)
    ]
    path.write_text(
        json.dumps(
            {
                "images": images("a.png") if pictures is None else pictures,
                "annotations": numbered,
                "categories": categories,
            }
            | more
        )
    )
    return path


def example(root: Path) -> Reader:
    for split, name in (("train", "a"), ("val", "b")):
        picture(root / f"images/{split}2017/{name}.png")
        write(
            root / f"annotations/instances_{split}2017.json",
            [of(), of(block(7, 7, 9, 9), 7, iscrowd=1)],
            images(f"{name}.png"),
        )
    return Reader(root)


def block(x0: int, y0: int, x1: int, y1: int, packed: bool = False) -> dict[str, Any]:
    """Run lengths of a rectangle, both corners included."""
    bits = np.zeros((H, W), np.uint8)
    bits[y0 : y1 + 1, x0 : x1 + 1] = 1
    if packed:
        return {
            "size": [H, W],
            "counts": coco_masks.encode(np.asfortranarray(bits))["counts"].decode(),
        }
    flat = bits.T.ravel()
    edges = np.flatnonzero(np.diff(flat, prepend=0))
    return {"size": [H, W], "counts": np.diff([0, *edges, flat.size]).tolist()}


def one(root: Path, *annotations: Any, categories: Any = CATS, **options: Any) -> Sample:
    picture(root / "a.png")
    write(root / "x.json", annotations, categories=categories)
    reader = Reader(root, **options)
    scan = reader.scan()
    assert len(scan.items) == 1, scan.skipped
    return reader.read(scan.items[0])


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


def test_no_annotations_is_all_background(tmp_path: Path) -> None:
    sample = one(tmp_path)
    assert not sample.mask.any()
    assert [note.code for note in sample.notes] == ["no-shapes"]


@pytest.mark.parametrize("policy", ["ignore", "class", "skip", "error"])
def test_boxes_without_outline(tmp_path: Path, policy: str) -> None:
    boxed = of([], bbox=[2, 2, 4, 4])
    if policy == "error":
        with pytest.raises(SourceError, match=r"annotations\[0\]\.segmentation: is empty"):
            one(tmp_path, boxed)
    else:
        values = {"ignore": 255, "class": 1, "skip": 0}
        assert one(tmp_path, boxed, box_only=policy).mask[3, 3] == values[policy]


TOTAL = H * W
HOSTILE = {
    "lying sum": ({"size": [H, W], "counts": [5, 5]}, "sum to 10 pixels"),
    "huge run": ({"size": [H, W], "counts": [10**12, 5]}, "run 0 is"),
    "endless run": ({"size": [H, W], "counts": [10**400]}, "longer than any image"),
    "negative run": ({"size": [H, W], "counts": [-5, TOTAL + 5]}, "run 0 is -5"),
    "sum that wraps": ({"size": [H, W], "counts": [2**63 - 1, 2**63 - 1, TOTAL + 2]}, "run 0 is"),
    "booleans": ({"size": [H, W], "counts": [True, TOTAL - 1]}, "whole numbers"),
    "floats": ({"size": [H, W], "counts": [1.5, TOTAL - 1.5]}, "whole numbers"),
    "no counts": ({"size": [H, W], "counts": []}, "sum to 0"),
    "other size": ({"size": [W, H], "counts": [TOTAL]}, r"size: \[12, 10\] is not"),
    "size of text": ({"size": "ab", "counts": [TOTAL]}, "size: ab"),
    "no size": ({"counts": [TOTAL]}, "size: None"),
    "cut text": ({"size": [H, W], "counts": "oooo"}, "cut off"),
    "long number": ({"size": [H, W], "counts": "o" * 50 + "0"}, "too long"),
    "bad characters": ({"size": [H, W], "counts": "é\0~"}, "out of range"),
    "empty text": ({"size": [H, W], "counts": ""}, "counts: is empty"),
    "text that lies": ({"size": [H, W], "counts": "55"}, "sum to 10"),
    "negative text": ({"size": [H, W], "counts": "O"}, "run 0 is -1"),
    "odd": ([[1, 2, 3, 4, 5, 6, 7]], r"\[0\]: a polygon needs"),
    "two points": ([SQUARE[0], [1, 2, 3, 4]], r"\[1\]: a polygon needs"),
    "points as pairs": ([[[1, 2], [3, 4], [5, 6]]], "flat list"),
    "text": ([["1", "2", "3", "4", "5", "6"]], "flat list"),
    "far": ([[1, 2, 3, 1e9, 5, 6]], "more than 1000000 pixels"),
    "infinite": ([[1, 2, 3, float("inf"), 5, 6]], "not finite"),
    "no number": ([[1, 2, 3, float("nan"), 5, 6]], "not finite"),
    "too large an integer": ([[1, 2, 3, 10**400, 5, 6]], "not finite"),
    "endless outline": ([[0, 0, 900_000, 900_000, 0, 1] * 20], "outlines of this image"),
    "a number": (7, "expected, not int"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_outlines(tmp_path: Path, name: str) -> None:
    segmentation, reason = HOSTILE[name]
    with pytest.raises(SourceError, match=rf"x\.json: annotations\[1\]\.segmentation.*{reason}"):
        one(tmp_path, of(), of(segmentation))


BAD = {
    "dangling category": (of(category=99), r"annotations\[0\]\.category_id: 99", "unknown-label"),
    "unhashable category": (of(category=[1]), r"annotations\[0\]\.category_id", "unknown-label"),
    "strange crowd": (of(iscrowd="yes"), r"annotations\[0\]\.iscrowd", "bad-annotation"),
    "strange box": (of([], bbox=[1, 2, float("nan"), 4]), r"annotations\[0\]\.bbox", "bad-shape"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_annotations(tmp_path: Path, name: str) -> None:
    annotation, reason, code = BAD[name]
    with pytest.raises(SourceError, match=reason) as caught:
        one(tmp_path, annotation, box_only="class")
    assert caught.value.code == code


def test_a_key_that_stands_twice(tmp_path: Path) -> None:
    path = write(tmp_path / "coco/x.json", [of(), of(image=2)], images("a.png", "b.png"))
    path.write_text(
        path.read_text().replace('"iscrowd": 0, "id": 1', '"iscrowd": 0, "iscrowd": 1, "id": 1')
    )
    picture(tmp_path / "a.png")
    picture(tmp_path / "b.png")
    reader = Reader(tmp_path)
    first, second = reader.scan().items
    with pytest.raises(SourceError, match=r"annotations\[0\]: key 'iscrowd' stands twice"):
        reader.read(first)
    assert reader.read(second).mask.any()
    path.write_text(path.read_text().replace('{"images"', '{"images": [], "images"'))
    assert [one.code for one in Reader(tmp_path, annotations=("x.json",)).scan().skipped] == [
        "duplicate-key"
    ]


def test_one_bad_image_leaves_the_rest(tmp_path: Path) -> None:
    """Dangling and repeated ids, missing and escaping files, lying run lengths: each is named, the
    good image converts.
    """
    src = tmp_path / "src"
    for name in ("good.png", "lying.png", "twin1.png", "twin2.png", "nosize.png", "other.png"):
        picture(src / f"images/{name}", (5, 5) if name == "other.png" else (W, H))
    (tmp_path / "secret.png").write_bytes((src / "images/good.png").read_bytes())
    listed = images(
        "good.png",
        "lying.png",
        "gone.png",
        "http://host/good.png",
        "../../secret.png",
        "nosize.png",
        "other.png",
    )
    listed += [
        {"id": 50, "file_name": "twin1.png"},
        {"id": 50, "file_name": "twin2.png"},
        {"id": 60, "file_name": ""},
        7,
    ]
    listed[5]["height"] = -1
    marks = [
        of(),
        of({"size": [H, W], "counts": [1]}, image=2),
        of(image=77),
        of(image=78),
        of(image=[1]),
        of(image=6),
        of(image=7),
        "x",
    ]
    write(src / "annotations/all.json", marks, listed)
    done = segprep.convert("coco", src, tmp_path / "out", on_error="skip")
    assert done.converted == 1
    assert sorted((one.code, one.reason.split(":")[0]) for one in done.skipped) == [
        ("bad-annotation", "annotations[2].image_id"),
        ("bad-annotation", "annotations[4]"),
        ("bad-annotation", "annotations[7]"),
        ("bad-annotation", "images[10]"),
        ("bad-annotation", "images[5]"),
        ("bad-annotation", "images[7].id"),
        ("bad-annotation", "images[8].id"),
        ("bad-annotation", "images[9].file_name"),
        ("bad-shape", "annotations[1].segmentation.counts"),
        ("image-missing", "images[2]"),
        ("path-outside-root", "images[3]"),
        ("path-outside-root", "images[4]"),
        ("size-mismatch", "images[6]"),
    ]
    assert "(and 1 more)" in next(one.reason for one in done.skipped if "image_id:" in one.reason)
    with pytest.raises(BadInputError):
        segprep.convert("coco", src, tmp_path / "none")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "bad-json"),
        ('{"images": [1,], "annotations": [], "categories": []}', "bad-json"),
        ('{"images": [] "annotations": []}', "bad-json"),
        ('{"images": [], "annotations": [{}], "categories": []} x', "bad-json"),
        ('{"images": [], "annotations": [' + "[" * 100_000 + "]}", "bad-json"),
        ('{"images": {}, "annotations": [], "categories": []}', "bad-annotation"),
        ('{"images": [], "annotations": []}', "bad-annotation"),
        ('{"images": [], "annotations": [], "categories": [{"id": 1}]}', "bad-label"),
        (
            '{"images": [], "annotations": [], "categories": [{"id": null, "name": "a"}]}',
            "bad-annotation",
        ),
        (
            (
                '{"images": [], "annotations": [], "categories": [{"id": 1, "name": "a"}, {"id": 1,'
                ' "name": "b"}]}'
            ),
            "bad-annotation",
        ),
        (
            (
                '{"images": [], "annotations": [], "categories": [{"id": 1, "name": "a"}, {"id": 2,'
                ' "name": "a"}]}'
            ),
            "bad-annotation",
        ),
        ("[]", "bad-json"),
        ("", "empty-file"),
        ("\ud800", "bad-encoding"),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, text: str, code: str) -> None:
    (tmp_path / "x.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    assert [one.code for one in Reader(tmp_path, annotations=("x.json",)).scan().skipped] == [code]


def test_categories_of_several_files_are_matched_by_name(tmp_path: Path) -> None:
    """a: 1 cat, 2 dog; b: 1 dog, 2 cat."""
    for folder, names in (("a", ("cat", "dog")), ("b", ("dog", "cat"))):
        picture(tmp_path / f"images/{folder}.png")
        write(
            tmp_path / folder / "instances.json",
            [of(category=1)],
            images(f"{folder}.png"),
            [{"id": number, "name": name} for number, name in enumerate(names, 1)],
        )
    reader = Reader(tmp_path)
    scan = reader.scan()
    assert scan.classes.names == ("_background_", "cat", "dog")
    assert [int(reader.read(item).mask.max()) for item in scan.items] == [1, 2]
    assert "'dog' has the id 2 in a/instances.json, in b/instances.json id 1 is 'dog'" in next(
        note.message for note in scan.notes if note.code == "categories-by-name"
    )


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


def test_files_that_describe_the_same_images_are_not_mixed(tmp_path: Path) -> None:
    example(tmp_path)
    other = write(tmp_path / "annotations/stuff_train2017.json", [of()])
    with pytest.raises(UsageError, match="instances, stuff") as caught:
        Reader(tmp_path).scan()
    assert caught.value.code == "annotations-unclear"
    assert len(Reader(tmp_path, annotations=("instances_*.json",)).scan().items) == 2
    assert (
        len(Reader(tmp_path, annotations=("annotations/stuff_train2017.json",)).scan().items) == 1
    )
    with pytest.raises(UsageError, match="there are: annotations/instances_train2017"):
        Reader(tmp_path, annotations=("../stuff.json",)).scan()
    other.rename(tmp_path / "annotations/extra.json")
    with pytest.raises(UsageError, match=r"a\.png is annotated in several files"):
        Reader(tmp_path).scan()


def test_other_json_is_named_and_left_out(tmp_path: Path) -> None:
    example(tmp_path)
    (tmp_path / "captions.json").write_text(
        '{"images": [], "annotations": [{"image_id": 1, "caption": "a cat"}]}'
    )
    (tmp_path / "list.json").write_text("[1]")
    assert [(one.stem, one.code, one.foreign) for one in Reader(tmp_path).scan().skipped] == [
        ("captions", "other-json", True),
        ("list", "other-json", True),
    ]


@pytest.mark.parametrize(
    "named", ["a.png", "images/a.png", "/home/me/images/a.png", "C:\\data\\images\\a.png", "A.PNG"]
)
def test_the_image_is_found(tmp_path: Path, named: str) -> None:
    picture(tmp_path / "root/images/a.png")
    write(tmp_path / "src/x.json", [of()], images(named))
    assert len(Reader(tmp_path / "src", image_root=(tmp_path / "root",)).scan().items) == 1
    write(tmp_path / "root/x.json", [of()], images(named))
    scan = Reader(tmp_path / "root").scan()
    assert [note.code for note in scan.notes] == ["classes-inferred"] + [
        "image-found-elsewhere"
    ] * ("me" in named or "data" in named)


def test_two_images_of_one_name(tmp_path: Path) -> None:
    """The folder in file_name decides, then the words that it shares with the annotation file."""
    for folder in ("images/train", "images/val", "images/more"):
        picture(tmp_path / folder / "a.png")
    write(tmp_path / "instances_val.json", [of()], images("a.png"))
    write(tmp_path / "instances_more.json", [of()], images("more/a.png"))
    scan = Reader(tmp_path, stem="path").scan()
    assert [item.stem for item in scan.items] == ["images_more_a", "images_val_a"]
    assert {one.code for one in Reader(tmp_path).scan().skipped} == {"stem-collision"}
    write(tmp_path / "instances_val.json", [], [])
    write(tmp_path / "instances_more.json", [of()], images("a.png", "a.png"))
    picture(tmp_path / "images/x/more/a.png")
    assert {one.code for one in Reader(tmp_path).scan().skipped} == {"image-ambiguous"}


def test_one_file_listed_twice(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    picture(tmp_path / "images/a.png")
    write(tmp_path / "coco/x.json", [of()], images("a.png", "a.png"))
    scan = Reader(tmp_path).scan()
    assert [(one.code, one.reason[:9]) for one in scan.skipped] == [("stem-collision", "images[1]")]


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


def panoptic(
    root: Path, ids: Any, segments: Any, pictures: Any = None, name: str = "a.png"
) -> Reader:
    array = np.asarray(ids, np.int64)
    picture(root / "images/a.jpg", array.shape[::-1])
    marks = [{"image_id": 1, "file_name": name, "segments_info": segments}]
    write(
        root / "annotations/panoptic_val.json",
        marks,
        pictures or [{"id": 1, "file_name": "a.jpg"}],
        [*CATS, {"id": 9, "name": "sky", "isthing": 0}],
    )
    (root / "annotations/panoptic_val").mkdir(exist_ok=True)
    colors = np.stack([array & 255, array >> 8 & 255, array >> 16], axis=-1).astype(np.uint8)
    Image.fromarray(colors).save(root / "annotations/panoptic_val/a.png")
    return Reader(root, objects=True)


IDS = [[0, 5, 5, 70_000], [256, 256, 5, 70_000], [1, 1, 1, 16_777_215]]
SEGMENTS = [
    {"id": 5, "category_id": 3},
    {"id": 70_000, "category_id": 3, "iscrowd": 1},
    {"id": 256, "category_id": 9},
    {"id": 1, "category_id": 7},
    {"id": 16_777_215, "category_id": 3},
    {"id": 77, "category_id": 7},
]


def test_panoptic_pngs(tmp_path: Path) -> None:
    reader = panoptic(tmp_path, IDS, SEGMENTS)
    scan = reader.scan()
    sample = reader.read(scan.items[0])
    assert sample.mask.tolist() == [[255, 1, 1, 255], [3, 3, 1, 255], [2, 2, 2, 1]]
    assert sample.objects is not None
    assert sample.objects.tolist() == [[65535, 2, 2, 65535], [0, 0, 2, 65535], [1, 1, 1, 3]]
    assert [(note.code, "segments_info[5] (dog)" in note.message) for note in sample.notes] == [
        ("hidden-shape", True)
    ]
    assert Reader(tmp_path, crowd="class").read(scan.items[0]).mask[0, 3] == 1
    assert Reader(tmp_path, crowd="skip").read(scan.items[0]).mask[0, 3] == 0


@pytest.mark.parametrize(
    ("options", "outcome"),
    [
        ({"exclude": ("dog",)}, "skipped"),
        ({"classes": "cat,sky", "unknown": "skip"}, "skipped"),
        ({"classes": "cat,sky", "unknown": "ignore"}, "ignored"),
        ({"classes": "cat,sky", "unknown": "background"}, "background"),
    ],
)
def test_segments_that_options_leave_out_are_counted(
    tmp_path: Path, options: dict[str, Any], outcome: str
) -> None:
    """Category 7 is dog: segment 1 has three pixels, segment 77 none."""
    panoptic(tmp_path, IDS, SEGMENTS)
    reader = Reader(tmp_path, **options)
    sample = reader.read(reader.scan().items[0])
    assert sample.unpainted == (Unpainted("dog", 2, 3, outcome),)
    assert set(sample.mask[2, :3]) == {255 if outcome == "ignored" else 0}


PANOPTIC = {
    "unlisted": (SEGMENTS[1:], "unknown-value", "3 pixels of segments"),
    "twin": ([*SEGMENTS, SEGMENTS[0]], "bad-annotation", r"segments_info\[6\]\.id: 5 is the id"),
    "zero": ([*SEGMENTS, {"id": 0, "category_id": 3}], "bad-annotation", r"segments_info\[6\]\.id"),
    "category": (
        [{"id": 5, "category_id": 1}],
        "unknown-label",
        r"segments_info\[0\]\.category_id: 1",
    ),
    "no list": ({}, "bad-annotation", r"annotations\[0\]\.segments_info: a list"),
}


@pytest.mark.parametrize("name", PANOPTIC)
def test_bad_panoptic(tmp_path: Path, name: str) -> None:
    segments, code, reason = PANOPTIC[name]
    reader = panoptic(tmp_path, IDS, segments)
    with pytest.raises(SourceError, match=reason) as caught:
        reader.read(reader.scan().items[0])
    assert caught.value.code == code


def test_panoptic_partners(tmp_path: Path) -> None:
    assert [
        one.code for one in panoptic(tmp_path / "png", IDS, SEGMENTS, name="b.png").scan().skipped
    ] == ["image-missing"]
    two = [{"id": 1, "file_name": "a.jpg"}, {"id": 2, "file_name": "b.jpg"}]
    picture(tmp_path / "two/images/b.jpg")
    assert [one.code for one in panoptic(tmp_path / "two", IDS, SEGMENTS, two).scan().skipped] == [
        "mask-missing"
    ]
    sized = [{"id": 1, "file_name": "a.jpg", "height": 3, "width": 4}]
    reader = panoptic(tmp_path / "size", IDS, SEGMENTS, sized)
    out = io.BytesIO()
    Image.new("RGB", (3, 3)).save(out, "PNG")
    (tmp_path / "size/annotations/panoptic_val/a.png").write_bytes(out.getvalue())
    with pytest.raises(SourceError, match="is 3x3, its image 4x3"):
        reader.read(reader.scan().items[0])


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


@pytest.mark.parametrize("size", [(W, H), (H, W)])
def test_the_view_that_was_annotated(tmp_path: Path, size: tuple[int, int]) -> None:
    """A picture stored as 12x10 and shown as 10x12: the size in the file tells which of the two was
    drawn on.
    """
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (W, H)).save(tmp_path / "a.jpg", exif=exif)
    write(
        tmp_path / "x.json",
        [of()],
        [{"id": 1, "file_name": "a.jpg", "width": size[0], "height": size[1]}],
    )
    reader = Reader(tmp_path)
    sample = reader.read(reader.scan().items[0])
    assert (sample.upright, sample.mask.shape) == (size == (H, W), size[::-1])
    assert sample.mask[2:6, 2:6].all()


SHARES = [[0.1, 0.1, 0.4, 0.1, 0.4, 0.4, 0.1, 0.4]]


def test_shares_of_the_size_are_not_pixels(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    write(tmp_path / "x.json", [of(SHARES), of(SHARES, 7)], images("a.png"))
    reader = Reader(tmp_path)
    with pytest.raises(SourceError, match="all 8 points lie within 0 to 1") as caught:
        reader.read(reader.scan().items[0])
    assert caught.value.code == "points-normalized"


def test_swapped_sizes_are_called_so(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    entry = {"id": 1, "file_name": "a.png", "width": H, "height": W}
    write(tmp_path / "x.json", [of()], [entry])
    reader = Reader(tmp_path)
    with pytest.raises(SourceError, match="width and height are swapped"):
        reader.read(reader.scan().items[0])


def test_one_bad_annotation_can_be_skipped(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    write(tmp_path / "x.json", [of(), of([[1, 1, 2, 2]]), of("text")], images("a.png"))
    reader = Reader(tmp_path, bad_shape="skip")
    sample = reader.read(reader.scan().items[0])
    assert sample.mask.any()
    assert [note.code for note in sample.notes] == ["shape-skipped"] * 2
    reader = Reader(tmp_path)
    with pytest.raises(SourceError, match=r"annotations\[1\].*; annotations\[2\]") as caught:
        reader.read(reader.scan().items[0])
    assert "--bad-shape skip" in caught.value.hint
