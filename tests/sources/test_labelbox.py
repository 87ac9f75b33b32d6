"""Labelbox: polygons, local masks, composite masks, several labels."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sources.region_files import HEIGHT, SQUARE, WIDTH, only, photo, png, square, write

from segprep.errors import SourceError
from segprep.sources import guesses
from segprep.sources.labelbox import Reader


def row(*objects: Any, labels: int = 1) -> dict[str, Any]:
    label = {"annotations": {"objects": list(objects)}}
    return {
        "data_row": {"id": "1", "external_id": "a.png"},
        "media_attributes": {"height": HEIGHT, "width": WIDTH},
        "projects": {"p": {"labels": [label] * labels}},
    }


def put(folder: Path, entry: dict[str, Any]) -> Reader:
    write(folder / "export.ndjson", json.dumps(entry) + "\n")
    return Reader(folder)


def example(folder: Path) -> Reader:
    photo(folder / "images" / "a.png")
    ring = [{"x": x, "y": y} for x, y in SQUARE]
    return put(folder, row({"name": "cat", "polygon": ring}))


def test_a_polygon(tmp_path: Path) -> None:
    assert (only(example(tmp_path)) == square()).all()


def test_a_mask_by_the_last_part_of_its_address(tmp_path: Path) -> None:
    example(tmp_path)
    (tmp_path / "m1.png").write_bytes(png(square(255)))
    reader = put(tmp_path, row({"name": "cat", "mask": {"url": "https://h/x/m1.png?t=1"}}))
    assert (only(reader) == square()).all()


def test_a_composite_mask_by_its_color(tmp_path: Path) -> None:
    example(tmp_path)
    colors = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    colors[square() > 0] = (10, 60, 127)
    colors[0] = (10, 60, 128)
    (tmp_path / "m1.png").write_bytes(png(colors))
    mask = {"url": "https://h/x/m1", "color_rgb": [10, 60, 127]}
    reader = put(tmp_path, row({"name": "cat", "composite_mask": mask}))
    assert (only(reader) == square()).all()


def test_masks_by_their_features_where_every_url_ends_alike(tmp_path: Path) -> None:
    example(tmp_path)
    (tmp_path / "clxxncipi000400i8nmk.png").write_bytes(png(square(255)))
    (tmp_path / "clxxncipi000500i8nmk.png").write_bytes(png(square(255)[:, ::-1].copy()))
    things = [
        {
            "name": name,
            "feature_id": f"clxxncipi000{n}00i8nmk",
            "mask": {
                "url": f"https://h/v1/tasks/clz70z72r053/masks/clxxncipi000{n}00i8nmk/index/1"
            },
        }
        for name, n in (("dog", 5), ("cat", 4))
    ]
    mask = only(put(tmp_path, row(*things)))
    assert (mask[square() > 0] == 1).all()  # cat, the first in the list of classes
    assert (mask == 2).sum() == (square()[:, ::-1] & (square() == 0)).sum()


def test_a_mask_that_is_not_here_is_not_fetched(tmp_path: Path) -> None:
    example(tmp_path)
    reader = put(tmp_path, row({"name": "cat", "mask": {"url": "https://h/x/m1.png"}}))
    (skipped,) = reader.scan().skipped
    assert skipped.code == "mask-missing"
    assert "m1.png" in skipped.reason


def test_several_labels_are_refused(tmp_path: Path) -> None:
    example(tmp_path)
    (skipped,) = put(tmp_path, row(labels=2)).scan().skipped
    assert skipped.code == "annotations-unclear"


def test_rows_as_a_list(tmp_path: Path) -> None:
    reader = example(tmp_path)
    rows = [json.loads((tmp_path / "export.ndjson").read_text())]
    (tmp_path / "export.ndjson").unlink()
    write(tmp_path / "export.json", json.dumps(rows, indent=1))
    assert (only(reader) == square()).all()
    assert guesses(tmp_path)[0][0] == "labelbox"


def test_another_table(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ndjson", '{"x": 1}\n').resolve()
    with pytest.raises(SourceError) as caught:
        Reader(tmp_path).parse(path)
    assert caught.value.code == "other-json"


def test_auto_knows_it(tmp_path: Path) -> None:
    assert guesses(example(tmp_path).root)[0][0] == "labelbox"


def test_a_mask_of_another_size_is_refused(tmp_path: Path) -> None:
    """It was cut to the image, or filled up with background."""
    example(tmp_path)
    (tmp_path / "m1.png").write_bytes(png(np.full((4, 4), 255, np.uint8)))
    with pytest.raises(SourceError, match="the mask is 4x4, its image 12x10") as caught:
        only(put(tmp_path, row({"name": "cat", "mask": {"url": "https://h/x/m1.png"}})))
    assert caught.value.code == "size-mismatch"


@pytest.mark.parametrize("skipped", [False, True])
def test_what_nobody_labeled_is_no_background(tmp_path: Path, skipped: bool) -> None:
    example(tmp_path)
    entry = row(labels=int(skipped))
    for label in entry["projects"]["p"]["labels"]:
        label["performance_details"] = {"skipped": True}
    (one,) = put(tmp_path, entry).scan().skipped
    assert one.code == "mask-missing"
    assert ("skipped it" in one.reason) == skipped
