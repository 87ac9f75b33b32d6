"""--class-from: the attributes of regions as classes, in every format that has them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sources.region_files import HEIGHT, HOLE, SQUARE, WIDTH, only, photo, square, write

from segprep import sources
from segprep.errors import SourceError, UsageError

Attributed = list[tuple[list[list[int]], str]]  # an outline and the value of its attribute


def cvat(folder: Path, regions: Attributed) -> None:
    text = "".join(
        f'<polygon label="thing" points="{";".join(f"{x},{y}" for x, y in ring)}" z_order="0">'
        + (f'<attribute name="kind">{value}</attribute>' if value else "")
        + "</polygon>"
        for ring, value in regions
    )
    labels = "<meta><label><name>thing</name></label></meta>"
    image = f'<image name="a.png" width="{WIDTH}" height="{HEIGHT}">{text}</image>'
    write(folder / "a.xml", f"<annotations>{labels}{image}</annotations>")


def darwin(folder: Path, regions: Attributed) -> None:
    listed = [
        {
            "name": "thing",
            "polygon": {"paths": [[{"x": x, "y": y} for x, y in ring]]},
            "properties": [{"name": "kind", "frame_index": None, "value": value or None}],
        }
        for ring, value in regions
    ]
    item = {"name": "a.png", "slots": [{"width": WIDTH, "height": HEIGHT}]}
    write(folder / "a.json", {"version": "2.0", "item": item, "annotations": listed})


def darwin_1(folder: Path, regions: Attributed) -> None:
    listed = [
        {
            "name": "thing",
            "polygon": {"path": [{"x": x, "y": y} for x, y in ring]},
            "attributes": [value] if value else [],
        }
        for ring, value in regions
    ]
    image = {"filename": "a.png", "width": WIDTH, "height": HEIGHT}
    write(folder / "a.json", {"image": image, "annotations": listed})


def isat(folder: Path, regions: Attributed) -> None:
    listed = [
        {"category": "thing", "group": n, "segmentation": ring, "layer": n, "note": value}
        for n, (ring, value) in enumerate(regions)
    ]
    info = {"description": "ISAT", "name": "a.png", "width": WIDTH, "height": HEIGHT}
    write(folder / "isat.yaml", "label:\n- name: __background__\n- name: thing\n")
    write(folder / "a.json", {"info": info, "objects": listed})


def labelbox(folder: Path, regions: Attributed) -> None:
    listed = [
        {
            "name": "thing",
            "polygon": [{"x": x, "y": y} for x, y in ring],
            "classifications": [{"name": "kind", "radio_answer": {"name": value}}] if value else [],
        }
        for ring, value in regions
    ]
    labels = [{"annotations": {"objects": listed}}]
    row = {"data_row": {"external_id": "a.png"}, "projects": {"p": {"labels": labels}}}
    write(folder / "a.ndjson", json.dumps(row))


def labelme(folder: Path, regions: Attributed) -> None:
    shapes = [
        {"label": "thing", "points": ring, "flags": {value: True, "old": False} if value else {}}
        for ring, value in regions
    ]
    write(folder / "labels.txt", "_background_\nthing\n")
    write(folder / "a.json", {"version": "5.0.1", "shapes": shapes, "imagePath": "a.png"})


def any_labeling(folder: Path, regions: Attributed) -> None:
    shapes = [
        {"label": "thing", "points": ring, "attributes": {"kind": value}} for ring, value in regions
    ]
    write(folder / "a.json", {"version": "5.0.1", "shapes": shapes, "imagePath": "a.png"})


def labelme_xml(folder: Path, regions: Attributed) -> None:
    things = "".join(
        f"<object><name>thing</name><attributes>size=1, {f'kind={value}' if value else ''}"
        + "</attributes><polygon>"
        + "".join(f"<pt><x>{x}</x><y>{y}</y></pt>" for x, y in ring)
        + "</polygon></object>"
        for ring, value in regions
    )
    write(folder / "a.xml", f"<annotation><filename>a.png</filename>{things}</annotation>")


def label_studio(folder: Path, regions: Attributed) -> None:
    results: list[dict[str, Any]] = []
    for n, (ring, value) in enumerate(regions):
        size = {"id": str(n), "original_width": WIDTH, "original_height": HEIGHT}
        outline = {"points": [[100 * x / WIDTH, 100 * y / HEIGHT] for x, y in ring]}
        results.append({**size, "type": "polygon", "from_name": "shape", "value": outline})
        if value:
            answer = outline | {"choices": [value]}
            results.append({**size, "type": "choices", "from_name": "kind", "value": answer})
    task = {"data": {"image": "a.png"}, "annotations": [{"result": results}]}
    write(folder / "a.json", [task])


def scalabel(folder: Path, regions: Attributed) -> None:
    labels = [
        {
            "category": "thing",
            "poly2d": [{"vertices": ring, "types": "LLLL", "closed": True}],
            "attributes": {"occluded": False, "kind": value},
        }
        for ring, value in regions
    ]
    frames = [{"name": "a.png", "labels": labels}]
    config = {"categories": [{"name": "thing"}]}
    write(folder / "a.json", {"frames": frames, "config": config})


def superannotate(folder: Path, regions: Attributed) -> None:
    listed = [
        {
            "type": "polygon",
            "className": "thing",
            "points": [value for point in ring for value in point],
            "attributes": [{"groupName": "kind", "name": value}] if value else [],
        }
        for ring, value in regions
    ]
    write(folder / "classes" / "classes.json", [{"name": "thing"}])
    metadata = {"name": "a.png", "width": WIDTH, "height": HEIGHT}
    write(folder / "a.png.json", {"metadata": metadata, "instances": listed})


def supervisely(folder: Path, regions: Attributed) -> None:
    listed = [
        {
            "classTitle": "thing",
            "geometryType": "polygon",
            "points": {"exterior": ring, "interior": []},
            "tags": [{"name": "kind", "value": value}] if value else [],
        }
        for ring, value in regions
    ]
    write(folder / "meta.json", {"classes": [{"title": "thing"}]})
    size = {"height": HEIGHT, "width": WIDTH}
    write(folder / "ann" / "a.png.json", {"size": size, "objects": listed})


WRITERS: list[tuple[Callable[[Path, Attributed], None], str]] = [
    (cvat, "kind"),
    (darwin, "kind"),
    (darwin_1, "attributes"),
    (isat, "note"),
    (labelbox, "kind"),
    (labelme, "flags"),
    (any_labeling, "kind"),
    (labelme_xml, "kind"),
    (label_studio, "kind"),
    (scalabel, "kind"),
    (superannotate, "kind"),
    (supervisely, "kind"),
]
FORMATS = {"darwin_1": "darwin", "any_labeling": "labelme"}


def reader(folder: Path, write_to: Any, regions: Attributed, **options: Any) -> Any:
    photo(folder / "a.png")
    write_to(folder, regions)
    name = FORMATS.get(write_to.__name__, write_to.__name__.replace("_", "-"))
    return sources.load(name)(folder, **options)  # type: ignore[call-arg]


every = pytest.mark.parametrize(("write_to", "attribute"), WRITERS)


@every
def test_the_attribute_is_the_class(tmp_path: Path, write_to: Any, attribute: str) -> None:
    regions = [(SQUARE, "crack"), (HOLE, "stain")]
    source = reader(tmp_path, write_to, regions, class_from=attribute)
    assert source.scan().classes.names == ("_background_", "crack", "stain")
    expected = square()
    expected[4:6, 4:7] = 2
    assert np.array_equal(only(source), expected)


@every
def test_a_region_without_it_is_named(tmp_path: Path, write_to: Any, attribute: str) -> None:
    regions = [(SQUARE, "crack"), (HOLE, "")]
    source = reader(tmp_path, write_to, regions, class_from=attribute)
    (item,) = source.scan().items
    with pytest.raises(SourceError, match=f"has no attribute '{attribute}'") as caught:
        source.read(item)
    assert caught.value.code == "bad-label"
    lenient = reader(tmp_path, write_to, regions, class_from=attribute, bad_shape="skip")
    assert np.array_equal(only(lenient), square())


@every
def test_a_name_that_nothing_has(tmp_path: Path, write_to: Any, attribute: str) -> None:
    source = reader(tmp_path, write_to, [(SQUARE, "crack")], class_from="color")
    with pytest.raises(UsageError, match="no shape has the attribute 'color'") as caught:
        source.scan()
    assert caught.value.code == "classes-ambiguous"
    assert attribute in caught.value.hint


@every
def test_exclude_and_map_speak_of_its_values(tmp_path: Path, write_to: Any, attribute: str) -> None:
    regions = [(SQUARE, "crack"), (HOLE, "stain")]
    options = {"class_from": attribute, "exclude": ("stain",), "map": ("crack=damage",)}
    source = reader(tmp_path, write_to, regions, **options)
    assert source.scan().classes.names == ("_background_", "damage")
    assert np.array_equal(only(source), square())


def test_several_values_are_refused(tmp_path: Path) -> None:
    source = reader(tmp_path, labelme, [(SQUARE, "crack")], class_from="flags")
    shape = {"label": "thing", "points": SQUARE, "flags": {"crack": True, "wet": True}}
    write(tmp_path / "a.json", {"shapes": [shape], "imagePath": "a.png"})
    (item,) = source.scan().items
    with pytest.raises(SourceError, match="has 2 values of attribute 'flags': crack, wet"):
        source.read(item)


def test_groups_and_descriptions_of_labelme(tmp_path: Path) -> None:
    reader(tmp_path, labelme, [(SQUARE, "crack")])
    shape = {"label": "thing", "points": SQUARE, "group_id": 7, "description": "deep"}
    write(tmp_path / "a.json", {"shapes": [shape], "imagePath": "a.png"})
    for attribute, name in (("group_id", "7"), ("description", "deep")):
        source = sources.load("labelme")(tmp_path, class_from=attribute)  # type: ignore[call-arg]
        assert source.scan().classes.names[1:] == (name,)


def test_checklists_and_texts_of_labelbox(tmp_path: Path) -> None:
    photo(tmp_path / "a.png")
    inner = {"name": "depth", "text_answer": {"content": "2 cm"}}
    answers = [{"name": "crack", "classifications": [inner]}]
    listed = [
        {
            "name": "thing",
            "polygon": [{"x": x, "y": y} for x, y in SQUARE],
            "classifications": [{"name": "kinds", "checklist_answers": answers}],
        }
    ]
    labels = [{"annotations": {"objects": listed}}]
    row = {"data_row": {"external_id": "a.png"}, "projects": {"p": {"labels": labels}}}
    write(tmp_path / "a.ndjson", json.dumps(row))
    for attribute, name in (("kinds", "crack"), ("depth", "2 cm")):
        source = sources.load("labelbox")(tmp_path, class_from=attribute)  # type: ignore[call-arg]
        assert source.scan().classes.names[1:] == (name,)


def test_tags_of_supervisely_without_a_value(tmp_path: Path) -> None:
    reader(tmp_path, supervisely, [(SQUARE, "")])
    thing = {
        "classTitle": "thing",
        "geometryType": "polygon",
        "points": {"exterior": SQUARE, "interior": []},
        "tags": [{"name": "deep", "value": None}],
    }
    size = {"height": HEIGHT, "width": WIDTH}
    write(tmp_path / "ann" / "a.png.json", {"size": size, "objects": [thing]})
    source = sources.load("supervisely")(tmp_path, class_from="tags")  # type: ignore[call-arg]
    assert source.scan().classes.names[1:] == ("deep",)
