"""CVAT XML: polygons, masks, boxes, z order, groups, tracks, subsets."""

import os
from pathlib import Path

import numpy as np
import pytest
from sources.region_files import HEIGHT, HOLE, SQUARE, WIDTH, masks, only, photo, square, write

from segprep.errors import SourceError, UsageError
from segprep.sources import guesses
from segprep.sources.cvat import Reader

REAL = Path(os.environ.get("SEGPREP_REAL_DATA", Path(__file__).parents[3] / "shared" / "data"))


def points(ring: list[list[int]]) -> str:
    return ";".join(f"{x}.0,{y}.0" for x, y in ring)


def polygon(label: str, ring: list[list[int]], **more: object) -> str:
    rest = "".join(f' {key}="{value}"' for key, value in more.items())
    return f'<polygon label="{label}" points="{points(ring)}"{rest}></polygon>'


def xml(*shapes: str, name: str = "a.png", meta: str = "", more: str = "") -> str:
    image = f'<image id="0" name="{name}" width="{WIDTH}" height="{HEIGHT}" {more}>'
    return (
        f"<annotations><version>1.1</version>{meta}{image}{''.join(shapes)}</image></annotations>"
    )


def example(folder: Path) -> Reader:
    photo(folder / "images" / "a.png")
    write(folder / "annotations.xml", xml(polygon("cat", SQUARE)))
    return Reader(folder)


def test_a_polygon(tmp_path: Path) -> None:
    assert (only(example(tmp_path)) == square()).all()


def test_z_order_decides(tmp_path: Path) -> None:
    reader = example(tmp_path)
    shapes = polygon("dog", HOLE, z_order=1), polygon("cat", SQUARE, z_order=0)
    write(tmp_path / "annotations.xml", xml(*shapes))
    mask = square()
    mask[4:6, 4:7] = 2
    assert (only(reader) == mask).all()


def test_run_lengths_go_along_the_rows_of_the_box(tmp_path: Path) -> None:
    reader = example(tmp_path)
    shape = '<mask label="cat" rle="1,2,2,1" left="3" top="4" width="3" height="2"></mask>'
    write(tmp_path / "annotations.xml", xml(shape))
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[4, 4:6] = mask[5, 5] = 1
    assert (only(reader) == mask).all()


@pytest.mark.parametrize("rle", ["1,2", "1,2,2,9", "-1,7", "a,b", "", "9" * 30])
def test_run_lengths_that_lie(tmp_path: Path, rle: str) -> None:
    reader = example(tmp_path)
    shape = f'<mask label="cat" rle="{rle}" left="3" top="4" width="3" height="2"></mask>'
    write(tmp_path / "annotations.xml", xml(shape))
    (skipped,) = reader.scan().skipped
    assert skipped.code == "bad-shape"
    assert "image[0].mask[0]" in skipped.reason


def test_one_bad_image_leaves_the_others(tmp_path: Path) -> None:
    reader = example(tmp_path)
    photo(tmp_path / "images" / "b.png", 1)
    good = xml(polygon("cat", SQUARE)).removesuffix("</annotations>")
    bad = f'<image name="b.png" width="{WIDTH}" height="{HEIGHT}">{polygon("cat", [[1, 1]])}'
    write(
        tmp_path / "annotations.xml",
        f"{good}{bad}<polygon label='x' points='?'/></image></annotations>",
    )
    scan = reader.scan()
    assert [item.stem for item in scan.items] == ["a"]
    assert [one.stem for one in scan.skipped] == ["b"]


def test_labels_of_the_task_give_the_order(tmp_path: Path) -> None:
    reader = example(tmp_path)
    labels = "".join(f"<label><name>{n}</name></label>" for n in ("dog", "background", "cat"))
    write(tmp_path / "annotations.xml", xml(polygon("cat", SQUARE), meta=f"<meta>{labels}</meta>"))
    assert reader.scan().classes.names == ("background", "dog", "cat")
    assert (only(reader) == square(2)).all()


def test_labels_of_whole_images_are_no_classes(tmp_path: Path) -> None:
    reader = example(tmp_path)
    kinds = {"sunny": "tag", "cat": "polygon", "dog": "any"}
    labels = "".join(
        f"<label><name>{name}</name><type>{kind}</type></label>" for name, kind in kinds.items()
    )
    tagged = polygon("cat", SQUARE), '<tag label="sunny" source="manual"></tag>'
    write(tmp_path / "annotations.xml", xml(*tagged, meta=f"<meta>{labels}</meta>"))
    assert reader.scan().classes.names == ("_background_", "cat", "dog")
    assert (only(reader) == square()).all()


def test_tags_alone_make_no_masks(tmp_path: Path) -> None:
    reader = example(tmp_path)
    write(tmp_path / "annotations.xml", xml('<tag label="sunny"></tag>'))
    with pytest.raises(UsageError, match="none of the 1 annotations has a shape"):
        reader.scan()
    assert not only(Reader(tmp_path, classes="cat")).any()


def test_class_from_an_attribute(tmp_path: Path) -> None:
    reader = Reader(example(tmp_path).root, class_from="kind")
    shape = polygon("thing", SQUARE).replace(
        "</polygon>", '<attribute name="kind">crack</attribute></polygon>'
    )
    write(tmp_path / "annotations.xml", xml(shape))
    assert reader.scan().classes.names == ("_background_", "crack")
    assert (only(reader) == square()).all()


def test_frames_of_a_video(tmp_path: Path) -> None:
    for n in (0, 3):
        photo(tmp_path / f"frame_{n:06}.png", n)
    shapes = "".join(
        f'<polygon frame="{n}" outside="{out}" points="{points(SQUARE)}" z_order="0"/>'
        for n, out in ((0, 0), (3, 1))
    )
    write(
        tmp_path / "a.xml",
        f"<annotations><track id='0' label='cat'>{shapes}</track></annotations>",
    )
    found = masks(Reader(tmp_path))
    assert (found["frame_000000"] == square()).all()
    assert not found["frame_000003"].any()


def test_a_frame_that_is_not_there_is_named(tmp_path: Path) -> None:
    photo(tmp_path / "other.png")
    shape = f'<polygon frame="12" outside="0" points="{points(SQUARE)}"/>'
    text = f"<annotations><track id='0' label='cat'>{shape}</track></annotations>"
    write(tmp_path / "a.xml", text)
    (skipped,) = Reader(tmp_path).scan().skipped
    assert skipped.code == "image-missing"
    assert "frame_000012" in skipped.reason


def test_a_task_of_points_makes_no_empty_masks(tmp_path: Path) -> None:
    reader = example(tmp_path)
    spot, line = (
        shape.replace("polygon", kind)
        for kind, shape in (("points", polygon("cat", SQUARE)), ("polyline", polygon("a", SQUARE)))
    )
    write(tmp_path / "annotations.xml", xml(spot, line, spot))
    with pytest.raises(UsageError, match="hold only 1 lines, 2 points") as caught:
        reader.scan()
    assert caught.value.code == "shape-without-area"


def test_subsets_choose_among_images_of_one_name(tmp_path: Path) -> None:
    for n, name in enumerate(("Train", "Test")):
        photo(tmp_path / "images" / name / "a.png", n)
    parts = [
        xml(polygon("cat", ring), more=f'subset="{name}"')
        .removeprefix("<annotations><version>1.1</version>")
        .removesuffix("</annotations>")
        for name, ring in (("Train", SQUARE), ("Test", HOLE))
    ]
    write(tmp_path / "annotations.xml", f"<annotations>{''.join(parts)}</annotations>")
    reader = Reader(tmp_path, stem="path")
    found = masks(reader)
    assert (found["images_Train_a"] == square()).all()
    assert found["images_Test_a"].sum() == 6
    assert reader.scan().lists == {"train": ("images_Train_a",), "test": ("images_Test_a",)}


@pytest.mark.parametrize(
    "text",
    [
        "<!DOCTYPE a [<!ENTITY b 'c'>]><annotations>&b;</annotations>",
        "<annotations><image></annotations>",
        "<annotations>" + "<a>" * 300 + "</a>" * 300 + "</annotations>",
    ],
)
def test_hostile_xml(tmp_path: Path, text: str) -> None:
    write(tmp_path / "a.xml", text)
    with pytest.raises(SourceError) as caught:
        Reader(tmp_path).parse(tmp_path.resolve() / "a.xml")
    assert caught.value.code == "bad-xml"


def test_auto_knows_it(tmp_path: Path) -> None:
    assert guesses(example(tmp_path).root)[0][0] == "cvat"


def test_real_sample() -> None:
    folder = REAL / "formats" / "datumaro" / "cvat_dataset" / "for_video"
    if not folder.is_dir():
        pytest.skip(f"no real data at {REAL}")
    reader = Reader(folder, boxes="fill")
    assert reader.scan().classes.names == ("_background_", "klhg", "z U k", "II")
    assert len(masks(reader)) == 3


def test_shapes_that_all_lie_outside_are_no_empty_mask(tmp_path: Path) -> None:
    reader = example(tmp_path)
    away = polygon("cat", [[100, 100], [200, 100], [200, 200]])
    write(tmp_path / "annotations.xml", xml(away))
    with pytest.raises(SourceError, match="1 of 1 shapes lie outside the 12x10 image") as caught:
        only(reader)
    assert caught.value.code == "shape-outside"
    assert not only(Reader(tmp_path, bad_shape="skip")).any()
    write(tmp_path / "annotations.xml", xml(away, polygon("cat", SQUARE)))
    assert (only(reader) == square()).all()


def test_images_of_one_name_lead_to_stem_path(tmp_path: Path) -> None:
    """The export of a project: both are named as images, not as the one file of annotations."""
    for n, name in enumerate(("Train", "Test")):
        photo(tmp_path / "images" / name / "a.png", n)
    images = [
        xml(polygon("cat", SQUARE), name=f"{folder}/a.png")
        .removeprefix("<annotations><version>1.1</version>")
        .removesuffix("</annotations>")
        for folder in ("Train", "Test")
    ]
    write(tmp_path / "annotations.xml", f"<annotations>{''.join(images)}</annotations>")
    first, second = Reader(tmp_path).scan().skipped
    assert {first.code, second.code} == {"stem-collision"}
    assert str(Path("images", "Train", "a.png")) in first.reason + second.reason
    assert "--stem path" in first.hint
    assert len(Reader(tmp_path, stem="path").scan().items) == 2


def tracks(*tasks: str) -> str:
    shape = polygon("cat", SQUARE).replace("<polygon", '<polygon frame="0" outside="0"')
    return "".join(
        f'<track id="{n}" label="cat" {task}>{shape}</track>' for n, task in enumerate(tasks)
    )


def test_tracks_of_several_tasks_are_not_mixed(tmp_path: Path) -> None:
    """The export of a project of videos: each task counts its frames from 0."""
    photo(tmp_path / "frame_000000.png")
    text = tracks('task_id="7" subset="Train"', 'task_id="8" subset="Train"')
    write(tmp_path / "annotations.xml", f"<annotations>{text}</annotations>")
    (skipped,) = Reader(tmp_path).scan().skipped
    assert skipped.code == "annotations-unclear"
    assert "tracks of 2 tasks (7, 8)" in skipped.reason
    assert "for each task" in skipped.hint
    text = tracks('task_id="7"', 'task_id="7"')
    write(tmp_path / "annotations.xml", f"<annotations>{text}</annotations>")
    assert (only(Reader(tmp_path)) == square()).all()


def test_skeletons_in_tracks_have_no_area(tmp_path: Path) -> None:
    """Their points are tracks within the track, of labels within the label."""
    photo(tmp_path / "frame_000000.png")
    labels = (
        "<meta><task><labels><label><name>cat</name><type>polygon</type></label>"
        "<label><name>bones</name><type>skeleton</type></label>"
        "<label><name>1</name><type>points</type><parent>bones</parent></label>"
        "</labels></task></meta>"
    )
    bones = (
        '<track id="5" label="bones"><skeleton frame="0" outside="0" points="1,1;2,2"/>'
        '<track id="0" label="1"><points frame="0" outside="0" points="1,1"/></track></track>'
    )
    text = f"<annotations>{labels}{tracks('')}{bones}</annotations>"
    write(tmp_path / "annotations.xml", text)
    reader = Reader(tmp_path)
    assert reader.scan().classes.names == ("_background_", "cat", "bones")
    assert (only(reader) == square()).all()
