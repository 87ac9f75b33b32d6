"""V7 Darwin: paths within paths, raster layers, the tool's own conversion of the same file."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sources.region_files import HEIGHT, HOLE, SQUARE, WIDTH, only, photo, square, with_hole, write

from segprep.sources import guesses
from segprep.sources.darwin import Reader

REAL = Path(os.environ.get("SEGPREP_REAL_DATA", Path(__file__).parents[3] / "shared" / "data"))


def path(ring: list[list[int]]) -> list[dict[str, int]]:
    return [{"x": x, "y": y} for x, y in ring]


def polygon(name: str, *rings: list[list[int]]) -> dict[str, Any]:
    return {"id": name, "name": name, "polygon": {"paths": [path(ring) for ring in rings]}}


def put(folder: Path, *annotations: dict[str, Any]) -> Reader:
    slot = {"slot_name": "0", "width": WIDTH, "height": HEIGHT}
    item = {"name": "a.png", "path": "/", "slots": [slot]}
    content = {"version": "2.0", "item": item, "annotations": list(annotations)}
    write(folder / "a.json", content)
    return Reader(folder)


def example(folder: Path) -> Reader:
    photo(folder / "a.png")
    return put(folder, polygon("cat", SQUARE))


def test_a_polygon(tmp_path: Path) -> None:
    assert (only(example(tmp_path)) == square()).all()


def test_a_path_within_another_is_a_hole_and_a_third_within_is_filled(tmp_path: Path) -> None:
    example(tmp_path)
    assert (only(put(tmp_path, polygon("cat", SQUARE, HOLE))) == with_hole()).all()
    assert (only(put(tmp_path, polygon("cat", HOLE, SQUARE))) == with_hole()).all()


def test_paths_side_by_side_are_parts(tmp_path: Path) -> None:
    example(tmp_path)
    other = [[10, 0], [11, 0], [11, 9], [10, 9]]
    mask = square()
    mask[:, 10:] = 1
    assert (only(put(tmp_path, polygon("cat", SQUARE, other))) == mask).all()


def test_a_raster_layer(tmp_path: Path) -> None:
    example(tmp_path)
    flat = square().reshape(-1)
    runs: list[int] = []
    for value in flat.tolist():
        if runs and runs[-2] == value:
            runs[-1] += 1
        else:
            runs += [value, 1]
    layer = {"dense_rle": runs, "mask_annotation_ids_mapping": {"m": 1}}
    reader = put(
        tmp_path,
        {"id": "m", "name": "cat", "mask": {}},
        {"id": "r", "name": "__raster_layer__", "raster_layer": layer},
    )
    assert (only(reader) == square()).all()


@pytest.mark.parametrize("runs", [[0, 5], [0], [0, 500, 1, -380]])
def test_raster_layers_that_lie(tmp_path: Path, runs: list[int]) -> None:
    example(tmp_path)
    layer = {"dense_rle": runs, "mask_annotation_ids_mapping": {"m": 1}}
    reader = put(tmp_path, {"id": "r", "name": "__raster_layer__", "raster_layer": layer})
    (skipped,) = reader.scan().skipped
    assert skipped.code == "bad-shape"


def test_auto_knows_it(tmp_path: Path) -> None:
    assert guesses(example(tmp_path).root)[0][0] == "darwin"


def test_the_tools_own_instance_masks(tmp_path: Path) -> None:
    """Darwin's own conversion of the file to one mask per polygon."""
    folder = REAL / "formats" / "darwin" / "e2e_tests" / "data" / "convert" / "instance_mask"
    if not folder.is_dir():
        pytest.skip(f"no real data at {REAL}")
    from PIL import Image

    (source,) = (folder / "from").glob("*.json")
    content = json.loads(source.read_text())
    content["annotations"] = [one for one in content["annotations"] if "polygon" in one]
    slot = content["item"]["slots"][0]
    photo(tmp_path / content["item"]["name"], size=(slot["height"], slot["width"]))
    theirs = sorted((folder / "to" / "masks").glob("*.png"))
    assert len(theirs) == len(content["annotations"])
    for annotation, png in zip(content["annotations"], theirs, strict=True):
        write(tmp_path / "a.json", content | {"annotations": [annotation]})
        with Image.open(png) as picture:
            mask = np.asarray(picture.convert("L")) > 0
        ours = only(Reader(tmp_path)) > 0
        assert (ours & mask).sum() / (ours | mask).sum() > 0.95
