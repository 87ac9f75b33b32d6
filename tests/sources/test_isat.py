"""ISAT: layers, groups, the background that cuts holes, and the tool's own conversions."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw
from sources.region_files import (
    HEIGHT,
    HOLE,
    SQUARE,
    WIDTH,
    masks,
    only,
    photo,
    square,
    with_hole,
    write,
)

import segprep
from segprep.errors import BadInputError
from segprep.sources import guesses
from segprep.sources.isat import Reader

REAL = Path(os.environ.get("SEGPREP_REAL_DATA", Path(__file__).parents[3] / "shared" / "data"))


def annotation(*objects: dict[str, Any], **info: Any) -> dict[str, Any]:
    described = {"description": "ISAT", "name": "a.png", "width": WIDTH, "height": HEIGHT}
    return {"info": described | info, "objects": list(objects)}


def thing(category: str, points: Any, layer: float = 1.0, group: int = 1) -> dict[str, Any]:
    return {"category": category, "group": group, "segmentation": points, "layer": layer}


def example(folder: Path) -> Reader:
    photo(folder / "a.png")
    write(folder / "a.json", annotation(thing("cat", SQUARE)))
    return Reader(folder)


def test_a_polygon(tmp_path: Path) -> None:
    assert (only(example(tmp_path)) == square()).all()


def test_a_higher_layer_covers_a_lower_one(tmp_path: Path) -> None:
    photo(tmp_path / "a.png")
    hole = thing("__background__", HOLE, layer=2.0)
    write(tmp_path / "a.json", annotation(hole, thing("cat", SQUARE)))
    assert (only(Reader(tmp_path)) == with_hole()).all()


def test_isat_yaml_gives_the_order(tmp_path: Path) -> None:
    reader = example(tmp_path)
    write(tmp_path / "isat.yaml", "label:\n- name: __background__\n- name: dog\n- name: cat\n")
    assert reader.scan().classes.names == ("_background_", "dog", "cat")
    assert (only(reader) == square(2)).all()


def test_groups_are_objects(tmp_path: Path) -> None:
    photo(tmp_path / "a.png")
    parts = (thing("cat", [[0, 0], [2, 0], [2, 1]], group=7), thing("cat", SQUARE, group=7))
    write(tmp_path / "a.json", annotation(*parts, thing("cat", HOLE, group=8)))
    reader = Reader(tmp_path, objects=True)
    sample = reader.read(reader.scan().items[0])
    assert sample.objects is not None
    assert set(np.unique(sample.objects).tolist()) == {0, 1, 2}


def test_another_size_is_refused(tmp_path: Path) -> None:
    photo(tmp_path / "src" / "a.png")
    write(tmp_path / "src" / "a.json", annotation(thing("cat", SQUARE), width=99))
    with pytest.raises(BadInputError) as caught:
        segprep.convert("isat", tmp_path / "src", tmp_path / "out")
    assert [one.code for one in caught.value.skipped] == ["size-mismatch"]  # type: ignore[attr-defined]


def test_auto_knows_it(tmp_path: Path) -> None:
    assert guesses(example(tmp_path).root)[0][0] == "isat"


def test_real_files_equal_a_drawing_by_hand() -> None:
    folder = REAL / "formats" / "isat" / "example" / "convert" / "coco_tiny"
    if not folder.is_dir():
        pytest.skip(f"no real data at {REAL}")
    reader = Reader(folder / "isat", image_root=(folder / "images",))
    names = reader.declared()[0]
    ours = masks(reader)
    assert len(ours) == 5
    for stem, mask in ours.items():
        content = json.loads((folder / "isat" / f"{stem}.json").read_text())
        canvas = Image.new("L", (content["info"]["width"], content["info"]["height"]))
        for thing in sorted(content["objects"], key=lambda thing: thing["layer"]):
            value, points = names.index(thing["category"]), [*map(tuple, thing["segmentation"])]
            ImageDraw.Draw(canvas).polygon(points, fill=value, outline=value)
        assert (np.asarray(canvas) == mask).all()


def test_the_nearest_isat_yaml_counts(tmp_path: Path) -> None:
    """The source may be the folder above, or hold several sets."""
    example(tmp_path / "set")
    write(
        tmp_path / "set" / "isat.yaml", "label:\n- name: __background__\n- name: dog\n- name: cat\n"
    )
    scan = Reader(tmp_path).scan()
    assert scan.classes.names == ("_background_", "dog", "cat")
    assert any("read from set/isat.yaml" in note.message for note in scan.notes)
    photo(tmp_path / "other" / "deep" / "b.png", 1)
    write(tmp_path / "other" / "deep" / "b.json", annotation(thing("fox", SQUARE), name="b.png"))
    write(tmp_path / "other" / "isat.yml", "label:\n- name: fox\n- name: dog\n")
    assert Reader(tmp_path).scan().classes.names == ("_background_", "fox", "dog", "cat")
    assert set(masks(Reader(tmp_path))["b"].ravel()) == {0, 1}
