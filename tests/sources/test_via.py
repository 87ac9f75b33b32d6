"""VIA 2 and 3: shapes, the attribute that is the class, and when that is unclear."""

from pathlib import Path
from typing import Any

import pytest
from sources.region_files import SQUARE, masks, only, photo, square, write

from segprep.errors import SourceError, UsageError
from segprep.sources import guesses
from segprep.sources.via import Reader

XS, YS = [x for x, _ in SQUARE], [y for _, y in SQUARE]
POLYGON = {"name": "polygon", "all_points_x": XS, "all_points_y": YS}


def region(shape: dict[str, Any], **attributes: Any) -> dict[str, Any]:
    return {"shape_attributes": shape, "region_attributes": attributes}


def put(folder: Path, *regions: Any, project: bool = False, **more: Any) -> Reader:
    images = {"a.png123": {"filename": "a.png", "size": 123, "regions": list(regions)}}
    write(
        folder / "via.json",
        {"_via_img_metadata": images, "_via_settings": {}} if project else images,
    )
    return Reader(folder, **more)


def example(folder: Path) -> Reader:
    photo(folder / "a.png")
    return put(folder, region(POLYGON, kind="cat"))


def test_a_polygon_and_its_attribute(tmp_path: Path) -> None:
    reader = example(tmp_path)
    assert reader.scan().classes.names == ("_background_", "cat")
    assert any("'kind'" in note.message for note in reader.scan().notes)
    assert (only(reader) == square()).all()


def test_a_project_and_regions_as_an_object(tmp_path: Path) -> None:
    example(tmp_path)
    reader = put(tmp_path, region(POLYGON, kind={"cat": True, "dog": False}), project=True)
    assert (only(reader) == square()).all()
    old = {"a.png1": {"filename": "a.png", "regions": {"0": region(POLYGON, kind="cat")}}}
    write(tmp_path / "via.json", old)
    assert (only(reader) == square()).all()


def test_a_region_without_the_attribute_is_one_fault(tmp_path: Path) -> None:
    example(tmp_path)
    regions = region(POLYGON, kind="cat"), region(POLYGON)
    reader = put(tmp_path, *regions)
    with pytest.raises(SourceError, match=r"regions\[1\]: has no attribute 'kind'"):
        only(reader)
    assert (only(put(tmp_path, *regions, bad_shape="skip")) == square()).all()
    ticks = region(POLYGON, kind={"cat": True, "dog": True})
    with pytest.raises(SourceError, match="has 2 values of attribute 'kind': cat, dog"):
        only(put(tmp_path, ticks))


def test_several_attributes_are_named(tmp_path: Path) -> None:
    example(tmp_path)
    both = region(POLYGON, kind="cat", state="old")
    (skipped,) = put(tmp_path, both).scan().skipped
    assert skipped.code == "classes-ambiguous"
    assert "kind, state" in skipped.reason
    assert "--class-from" in skipped.hint
    assert put(tmp_path, both, class_from="state").scan().classes.names[1] == "old"


def test_without_attributes_there_is_one_class_and_a_note(tmp_path: Path) -> None:
    example(tmp_path)
    scan = put(tmp_path, region(POLYGON)).scan()
    assert scan.classes.names == ("_background_", "object")
    assert any("'object'" in note.message for note in scan.notes)


def test_a_circle_covers_its_disc(tmp_path: Path) -> None:
    example(tmp_path)
    circle = {"name": "circle", "cx": 6, "cy": 5, "r": 3}
    mask = only(put(tmp_path, region(circle, kind="cat")))
    assert mask[5, 3] == mask[5, 9] == mask[2, 6] == mask[8, 6] == 1
    assert 29 <= mask.sum() <= 37


def test_version_3(tmp_path: Path) -> None:
    photo(tmp_path / "a.png")
    flat = [value for point in SQUARE for value in point]
    write(
        tmp_path / "p.json",
        {
            "project": {"pname": "x"},
            "attribute": {"1": {"aname": "kind", "options": {"0": "dog", "1": "cat"}}},
            "file": {"7": {"fid": "7", "fname": "a.png"}},
            "view": {"3": {"fid_list": ["7"]}},
            "metadata": {"3_a": {"vid": "3", "xy": [7, *flat], "av": {"1": "1"}}},
        },
    )
    assert Reader(tmp_path).scan().classes.names == ("_background_", "cat")
    assert (masks(Reader(tmp_path))["a"] == square()).all()


@pytest.mark.parametrize(
    "shape",
    [
        {"name": "polygon", "all_points_x": [1, 2, 3], "all_points_y": [1, 2]},
        {"name": "blob"},
        {"name": "circle", "cx": 6, "cy": "?", "r": 3},
    ],
)
def test_shapes_that_are_none(tmp_path: Path, shape: dict[str, Any]) -> None:
    example(tmp_path)
    (skipped,) = put(tmp_path, region(shape, kind="cat")).scan().skipped
    assert "regions[0]" in skipped.reason


def test_auto_knows_it(tmp_path: Path) -> None:
    assert guesses(example(tmp_path).root)[0][0] == "via"


def test_several_files_of_the_same_images_are_a_question(tmp_path: Path) -> None:
    """A public set of damaged cars holds one file per kind of label, each for all images."""
    for name in "ab":
        photo(tmp_path / f"{name}.png")
    for file, label in (("kinds.json", "door"), ("damage.json", "dent")):
        images = {
            f"{name}1": {"filename": f"{name}.png", "regions": [region(POLYGON, kind=label)]}
            for name in "ab"
        }
        write(tmp_path / file, images)
    with pytest.raises(
        UsageError, match=r"2 files .*same images: damage\.json, kinds\.json"
    ) as caught:
        Reader(tmp_path).scan()
    assert caught.value.code == "annotations-unclear"
    chosen = Reader(tmp_path, annotations=("kinds.json",)).scan()
    assert chosen.classes.names == ("_background_", "door")
    with pytest.raises(UsageError, match=r"none\.json is not an annotation file"):
        Reader(tmp_path, annotations=("none.json",)).scan()


def test_the_hint_of_rival_files_names_one_of_each(tmp_path: Path) -> None:
    """A public set of eyes holds project and export of VIA in train/ and in val/; one was named."""
    for part in ("test", "train", "val"):
        for name in "ab":
            photo(tmp_path / part / f"{part}_{name}.png")
        for file in ("export.json", "project.json")[: 1 if part == "test" else 2]:
            names = [f"{part}_{name}.png" for name in "ab"]
            images = {name: {"filename": name, "regions": [region(POLYGON)]} for name in names}
            write(tmp_path / part / file, images)
    with pytest.raises(UsageError, match="4 files describe the same images") as caught:
        Reader(tmp_path).scan()
    names = [word for word in caught.value.hint.split() if word.endswith(".json")]
    assert names == [f"{part}/export.json" for part in ("test", "train", "val")]
    assert len(Reader(tmp_path, annotations=tuple(names)).scan().items) == 6


def test_copies_of_an_image_are_one_image(tmp_path: Path) -> None:
    """A public set of butterflies holds every image in two folders."""
    for folder in ("IMAGES", "IMAGES ML"):
        photo(tmp_path / folder / "a.png")
    reader = put(tmp_path, region(POLYGON, kind="cat"))
    scan = reader.scan()
    assert [item.image for item in scan.items] == [tmp_path / "IMAGES/a.png"]
    (note,) = [note for note in scan.notes if note.code == "image-copies"]
    assert "IMAGES ML/a.png" in note.message
    (tmp_path / "IMAGES ML").rename(tmp_path / "val")
    (tmp_path / "IMAGES").rename(tmp_path / "train")
    assert [skipped.code for skipped in reader.scan().skipped] == ["image-ambiguous"]


def test_the_named_folder_decides_between_images_of_one_name(tmp_path: Path) -> None:
    """A public set of satellite images holds each in true and in false color."""
    for seed, kind in enumerate(("true", "false")):
        photo(tmp_path / "in" / kind / "train" / "a.png", seed)
    reader = put(tmp_path / "in", region(POLYGON, kind="cat"))
    assert [one.code for one in reader.scan().skipped] == ["image-ambiguous"]
    chosen = put(tmp_path / "in", region(POLYGON, kind="cat"), image_root=(tmp_path / "in/true",))
    assert [item.image for item in chosen.scan().items] == [tmp_path / "in/true/train/a.png"]


def test_a_bad_region_refuses_its_own_image_alone(tmp_path: Path) -> None:
    for name in ("a", "b"):
        photo(tmp_path / f"{name}.png", ord(name))
    bad = region({"name": "polygon", "all_points_x": [1], "all_points_y": []}, kind="cat")
    images = {
        f"{name}.png1": {"filename": f"{name}.png", "regions": [one]}
        for name, one in (("a", bad), ("b", region(POLYGON, kind="cat")))
    }
    write(tmp_path / "via.json", images)
    scan = Reader(tmp_path).scan()
    assert [item.stem for item in scan.items] == ["b"]
    assert [skip.code for skip in scan.skipped] == ["bad-shape"]


def test_the_noted_bytes_tell_which_of_several_images_was_annotated(tmp_path: Path) -> None:
    """A public set of cockpits has pictures and masks beside the file, of the same names."""
    beside = photo(tmp_path / "a.png")
    meant = photo(tmp_path / "images/a.png", seed=1)
    with beside.open("ab") as file:
        file.write(b"another picture")
    entry = {"filename": "a.png", "regions": [region(POLYGON, kind="cat")]}
    write(tmp_path / "via.json", {"a": {**entry, "size": meant.stat().st_size}})
    scan = Reader(tmp_path).scan()
    assert [item.image for item in scan.items] == [meant]
    (note,) = [note for note in scan.notes if note.code == "image-chosen"]
    assert f"{meant} was used, not {beside}" in note.message
    write(tmp_path / "via.json", {"a": {**entry, "size": beside.stat().st_size}})
    scan = Reader(tmp_path).scan()
    assert [item.image for item in scan.items] == [beside]
    assert "image-chosen" not in {note.code for note in scan.notes}
    write(tmp_path / "via.json", {"a": {**entry, "size": 5}})
    scan = Reader(tmp_path).scan()
    assert [item.image for item in scan.items] == [beside]
    (note,) = [note for note in scan.notes if note.code == "image-replaced"]
    assert f"had 5, has {beside.stat().st_size}" in note.message
    write(tmp_path / "via.json", {"a": {**entry, "size": -1}})
    assert "image-replaced" not in {note.code for note in Reader(tmp_path).scan().notes}


def test_attributes_that_are_equal_in_every_region_are_one(tmp_path: Path) -> None:
    """A public set of kudzu bugs names the class in two languages."""
    example(tmp_path)
    both = [region(POLYGON, insect=label, inseto=label) for label in ("bug", "leaf")]
    assert put(tmp_path, *both).scan().classes.names == ("_background_", "bug", "leaf")
    (skipped,) = put(tmp_path, *both, region(POLYGON, insect="bug")).scan().skipped
    assert skipped.code == "classes-ambiguous"


def test_a_file_without_attributes_beside_one_with_some_is_a_question(tmp_path: Path) -> None:
    """A public set of kudzu bugs has the class in the file of training alone."""
    for folder, attributes in (("train", {"kind": "kudzu bug"}), ("val", {})):
        photo(tmp_path / folder / f"{folder}.png")
        entry = {"filename": f"{folder}.png", "regions": [region(POLYGON, **attributes)]}
        write(tmp_path / folder / "via.json", {"0": entry})
    with pytest.raises(
        UsageError, match=r"no region of val/via\.json has any .* are kudzu bug"
    ) as caught:
        Reader(tmp_path).scan()
    assert caught.value.code == "classes-ambiguous"
    assert "--map 'object=kudzu bug'" in caught.value.hint
    stated = Reader(tmp_path, map=("object=kudzu bug",), class_from="kind")
    assert stated.scan().classes.names == ("_background_", "kudzu bug")
    assert all((mask == square()).all() for mask in masks(stated).values())
    assert len(masks(Reader(tmp_path, exclude=("object",)))) == 2
    bare = Reader(tmp_path, annotations=("val/via.json",))
    assert bare.scan().classes.names == ("_background_", "object")


def test_the_hint_names_one_of_several_files_of_one_name(tmp_path: Path) -> None:
    images = {
        f"{name}1": {"filename": f"{name}.png", "regions": [region(POLYGON, kind="cat")]}
        for name in "ab"
    }
    for name in "ab":
        photo(tmp_path / f"train/{name}.png")
    for path in ("via.json", "train/via.json"):
        write(tmp_path / path, images)
    with pytest.raises(UsageError, match=r"same images: train/via\.json, \./via\.json") as caught:
        Reader(tmp_path).scan()
    assert caught.value.hint.endswith("--annotations train/via.json")
    for named in ("./via.json", "train/via.json"):
        scan = Reader(tmp_path, annotations=(named,)).scan()
        assert {item.labels for item in scan.items} == {(tmp_path / named,)}


def test_an_image_of_another_extension_is_named(tmp_path: Path) -> None:
    """Photographs that were converted to JPEG after they were annotated."""
    photo(tmp_path / "a.jpg")
    reader = put(tmp_path, region(POLYGON, kind="cat"))
    (skipped,) = reader.scan().skipped
    assert skipped.code == "image-missing"
    assert skipped.reason == "no file 'a.png' is in the source folder, but a.jpg"
    assert skipped.hint.startswith("set its name in the file, if a.jpg is the picture; or ")
