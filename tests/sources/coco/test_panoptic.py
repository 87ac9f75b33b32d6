"""COCO panoptic PNGs: segments, their classes, crowds and partners."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from segprep.errors import SourceError
from segprep.sources.coco import Reader
from segprep.types import Unpainted

pytest.importorskip("pycocotools.mask")
from sources.coco.makers import CATS, picture, write


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
