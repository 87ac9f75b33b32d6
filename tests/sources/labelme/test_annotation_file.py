"""Fields that do not touch the mask do no harm; files of other tools are named."""

import json
from pathlib import Path
from typing import Any

import pytest

import segprep
from segprep.errors import SegprepError
from segprep.sources.labelme import Reader

from .makers import annotate, base64_of, box, codes, encoded, picture, sample


@pytest.mark.parametrize(
    ("fields", "noted"),
    [
        ({"imageHeight": 0}, ["field-ignored"]),
        ({"imageWidth": -1}, ["field-ignored"]),
        ({"imageHeight": True}, ["field-ignored"]),
        ({"imageHeight": float("nan")}, ["field-ignored"]),
        ({"imageHeight": "48", "imageWidth": "64"}, []),
        ({"imageData": 7}, ["field-ignored"]),
        ({"imagePath": ["a.png"]}, ["field-ignored", "image-found-elsewhere"]),
        ({"score": float("nan"), "otherData": float("inf")}, []),
    ],
)
def test_fields_that_do_not_touch_the_mask(
    tmp_path: Path, fields: dict[str, Any], noted: list[str]
) -> None:
    annotate(tmp_path, "a", box(score=float("nan")), **fields)
    picture(1).save(tmp_path / "a.png")
    read = sample(tmp_path)
    assert int((read.mask == 1).sum()) == 441
    assert codes(read) == noted


def test_a_data_url_is_an_embedded_copy(tmp_path: Path) -> None:
    copy = encoded(picture(1))
    annotate(tmp_path, "a", box(), imageData="data:image/png;base64," + base64_of(copy))
    read = sample(tmp_path)
    assert read.image == copy
    assert codes(read) == ["field-ignored", "image-embedded"]


def test_a_whole_number_is_its_text_as_label(tmp_path: Path) -> None:
    annotate(tmp_path, "a", box(7))
    picture(1).save(tmp_path / "a.png")
    assert Reader(tmp_path).scan().classes.names == ("_background_", "7")
    assert int((sample(tmp_path).mask == 1).sum()) == 441


TOOLS: dict[str, tuple[Any, str]] = {
    "EISeg": ([{"name": "cat", "labelIdx": 1, "points": [[1, 1]]}], "convert eiseg"),
    "ISAT": ({"info": {"description": "ISAT"}, "objects": []}, "convert isat"),
    "VIA": ({"a.png1": {"filename": "a.png", "regions": []}}, "convert via"),
    "Supervisely": ({"size": {}, "objects": [{"classTitle": "cat"}]}, "convert supervisely"),
    "Label Studio": ([{"id": 1, "data": {}, "annotations": []}], "convert label-studio"),
    "COCO": ({"images": [], "annotations": [], "categories": []}, "convert coco"),
    "Cityscapes": ({"imgHeight": 1, "imgWidth": 1, "objects": []}, "convert cityscapes"),
}


@pytest.mark.parametrize("tool", TOOLS)
def test_the_json_of_other_tools_is_named_with_the_way_on(tmp_path: Path, tool: str) -> None:
    content, way = TOOLS[tool]
    (tmp_path / "src").mkdir()
    (tmp_path / "src/a.json").write_text(json.dumps(content))
    with pytest.raises(SegprepError, match=f"not a labelme annotation but .*{tool}") as caught:
        segprep.convert("labelme", tmp_path / "src", tmp_path / "out")
    assert caught.value.code == "nothing-to-convert"
    assert way in caught.value.hint


def test_labelme_xml_is_named(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    xml = "<annotation><object><name>cat</name><polygon><pt/></polygon></object></annotation>"
    (tmp_path / "src/a.xml").write_text(xml)
    with pytest.raises(SegprepError, match="LabelMe XML") as caught:
        segprep.convert("labelme", tmp_path / "src", tmp_path / "out")
    assert "convert labelme-xml" in caught.value.hint
