"""COCO files that are broken, hostile, or measure in something else than pixels."""

import json
from pathlib import Path

import pytest

import segprep
from segprep import sources
from segprep.errors import BadInputError, SourceError, UsageError
from segprep.sources.coco import Reader

pytest.importorskip("pycocotools.mask")
from sources.coco.makers import SQUARE, H, W, images, of, one, picture, write

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
    with pytest.raises(SourceError, match=r"annotations\[0\]: key 'iscrowd' occurs twice"):
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


@pytest.mark.parametrize("indent", [None, 4])
def test_boxes_alone_are_told_once_and_are_weak_evidence(
    tmp_path: Path, indent: int | None
) -> None:
    root = tmp_path / "in"
    path = write(root / "annotations/x.json", [of([], bbox=[1, 1, 4, 4])] * 3, images("a.png"))
    picture(root / "images/a.png")
    path.write_text(json.dumps(json.loads(path.read_text()), indent=indent))
    with pytest.raises(UsageError, match="3 annotations are boxes without an outline"):
        segprep.convert("coco", root, tmp_path / "out")
    assert sources.guesses(root)[0][1].reason.endswith("has boxes, but no outlines")
    segprep.convert("coco", root, tmp_path / "out", box_only="class")
    with pytest.raises(UsageError, match="has boxes, but no outlines") as caught:
        segprep.convert("auto", root, tmp_path / "auto")
    assert "--box-only class" in caught.value.hint
