"""--bad-shape skip: an entry that is stated wrongly is left out alone, in annotation formats."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sources import (
    test_eiseg,
    test_geojson,
    test_label_studio,
    test_rle_csv,
    test_via,
    test_yolo_seg,
)
from sources.region_files import HOLE, SQUARE, only, square, write
from sources.test_class_from import (
    cvat,
    darwin,
    isat,
    labelbox,
    labelme_xml,
    reader,
    scalabel,
    superannotate,
    supervisely,
)

from segprep import sources

# format, the right text of the second region's last corner, and a wrong one
CASES = [
    (cvat, "4,5", "4,x"),
    (darwin, '{"x": 4, "y": 5}', '{"x": null, "y": 5}'),
    (isat, "[4, 5]]", '["4", 5]]'),
    (labelbox, '{"x": 4, "y": 5}', '{"x": 4}'),
    (labelme_xml, "<x>4</x><y>5</y>", "<x>4</x><y>?</y>"),
    (scalabel, "[4, 5]]", "[4]]"),
    (superannotate, "4, 5]", "4]"),
    (supervisely, "[4, 5]]", "[4, null]]"),
]


def check(name: str, folder: Path) -> None:
    """The strict reader refuses the image, the lenient one has SQUARE and a note."""
    strict = sources.load(name)(folder)  # type: ignore[call-arg]
    (skipped,) = strict.scan().skipped
    assert skipped.code == "bad-shape"
    lenient = sources.load(name)(folder, bad_shape="skip")  # type: ignore[call-arg]
    (item,) = lenient.scan().items
    sample = lenient.read(item)
    assert np.array_equal(sample.mask > 0, square() > 0)
    assert "shape-skipped" in [note.code for note in sample.notes]


@pytest.mark.parametrize(("write_to", "right", "wrong"), CASES)
def test_one_wrong_entry_is_left_out(tmp_path: Path, write_to: Any, right: str, wrong: str) -> None:
    assert only(reader(tmp_path, write_to, [(SQUARE, "a"), (HOLE, "b")])).any()
    spoiled = 0
    for path in tmp_path.rglob("*"):
        if path.suffix in (".json", ".xml", ".ndjson") and right in path.read_text():
            path.write_text(wrong.join(path.read_text().rsplit(right, 1)))
            spoiled += 1
    assert spoiled == 1
    check(write_to.__name__.replace("_", "-"), tmp_path)


def test_eiseg_label_studio_and_via(tmp_path: Path) -> None:
    test_eiseg.example(tmp_path / "eiseg")
    rows = [{"name": "a", "labelIdx": 1, "points": ring} for ring in (SQUARE, [[1, "x"]])]
    write(tmp_path / "eiseg" / "label" / "a.json", rows)
    check("eiseg", tmp_path / "eiseg")
    test_label_studio.example(tmp_path / "ls")
    good, bad = (
        test_label_studio.result("polygonlabels", "cat", points=points)
        for points in (test_label_studio.PERCENT, [[1, "x"]])
    )
    test_label_studio.put(tmp_path / "ls", test_label_studio.annotation(good, bad))
    check("label-studio", tmp_path / "ls")
    test_via.example(tmp_path / "via")
    bad = test_via.region({"name": "polygon", "all_points_x": [1], "all_points_y": []}, kind="cat")
    test_via.put(tmp_path / "via", test_via.region(test_via.POLYGON, kind="cat"), bad)
    check("via", tmp_path / "via")


def test_yolo_run_lengths_and_geojson(tmp_path: Path) -> None:
    test_yolo_seg.example(tmp_path / "yolo")
    lines = f"{test_yolo_seg.LINE}\n0 1.4 0.2 1.9 0.2 1.9 0.8\n"
    write(tmp_path / "yolo" / "labels" / "a.txt", lines)
    check("yolo-seg", tmp_path / "yolo")
    test_rle_csv.example(tmp_path / "rle")
    with (tmp_path / "rle" / "train.csv").open("a") as table:
        table.write("a.png,999 4\n")
    lenient = sources.load("rle-csv")(tmp_path / "rle", bad_shape="skip")  # type: ignore[call-arg]
    assert np.array_equal(only(lenient), square())
    test_geojson.example(tmp_path / "json")
    (path,) = (tmp_path / "json").rglob("*.geojson")
    content = json.loads(path.read_text())
    nameless = content["features"][0] | {"properties": {}}
    expected = only(sources.load("geojson")(tmp_path / "json"))  # type: ignore[call-arg]
    write(path, content | {"features": [*content["features"], nameless]})
    lenient = sources.load("geojson")(tmp_path / "json", bad_shape="skip")  # type: ignore[call-arg]
    assert np.array_equal(only(lenient), expected)
