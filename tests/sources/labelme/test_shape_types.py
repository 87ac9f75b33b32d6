"""Shapes as labelme of each version, and X-AnyLabeling, draws them; bad ones are named together."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from segprep.errors import SourceError
from segprep.sources.labelme import Reader

from .makers import SIZE, annotate, base64_of, box, codes, encoded, picture, sample


def drawn(folder: Path, *shapes: Any, version: str = "5.5.0", **options: Any) -> Any:
    annotate(folder, "a", *shapes, version=version)
    picture(1).save(folder / "a.png")
    return sample(folder, **options)


ZIGZAG = [[5, 5], [20, 20], [50, 20], [30, 40]]


@pytest.mark.parametrize(
    ("version", "rounded"),
    [("5.5.0", False), ("6.3.1", False), ("7.0.0", True), ("7.1.0", True)],
)
def test_linestrips_have_rounded_joints_since_7_0(
    tmp_path: Path, version: str, rounded: bool
) -> None:
    from PIL import ImageDraw

    canvas = Image.new("L", SIZE)
    points = [tuple(map(float, point)) for point in ZIGZAG]
    ImageDraw.Draw(canvas).line(points, 1, 10, "curve" if rounded else None)
    mask = drawn(tmp_path, box("crack", ZIGZAG, "linestrip"), version=version).mask
    assert np.array_equal(mask, np.asarray(canvas))
    sharp = drawn(tmp_path / "sharp", box("crack", ZIGZAG, "linestrip")).mask
    assert bool(mask.sum() > sharp.sum()) == rounded


def stamp(points: Any, size: tuple[int, int] = (21, 21)) -> Any:
    bitmap = base64_of(encoded(Image.new("L", size, 255)))
    return box("cat", points, "mask", mask=bitmap)


@pytest.mark.parametrize(
    ("points", "version", "place"),
    [
        ([[10, 10], [30, 30]], "5.5.0", (10, 31, 10, 31)),
        ([[9.6, 9.6], [29.7, 30.2]], "5.5.0", (10, 31, 10, 31)),  # its cut-off box does not fit
        ([[9.6, 9.6], [29.6, 29.6]], "5.5.0", (9, 30, 9, 30)),  # it does: labelme < 7.1 cuts off
        ([[9.6, 9.6], [29.6, 29.6]], "7.1.0", (10, 31, 10, 31)),
        ([[9.5, 10.5], [29.5, 30.5]], "7.1.0", (10, 31, 10, 31)),  # halves go to the even pixel
        ([[10, 10], [29, 29]], "7.1.0", (10, 30, 10, 30)),  # cropped to the box
        ([[10, 10], [25, 25]], "7.1.0", (10, 26, 10, 26)),
        ([[-4, -4], [16, 16]], "7.1.0", (0, 17, 0, 17)),
    ],
)
def test_mask_shapes_lie_where_labelme_puts_them(
    tmp_path: Path, points: Any, version: str, place: tuple[int, ...]
) -> None:
    mask = drawn(tmp_path, stamp(points), version=version).mask
    left, right, top, bottom = place
    expected = np.zeros(SIZE[::-1], np.uint8)
    expected[top:bottom, left:right] = 1
    assert np.array_equal(mask, expected)


def test_a_bitmap_much_smaller_than_its_box_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="the picture is 9x9, its points span 21x21"):
        drawn(tmp_path, stamp([[10, 10], [30, 30]], (9, 9)))


TURNED = [[20, 5], [35, 20], [20, 35], [5, 20]]


@pytest.mark.parametrize("kind", ["rectangle", "rotation", "quadrilateral", "oriented_rectangle"])
def test_a_turned_rectangle_is_the_quadrilateral(tmp_path: Path, kind: str) -> None:
    polygon = drawn(tmp_path / "polygon", box("cat", TURNED, "polygon")).mask
    mask = drawn(tmp_path / kind, box("cat", TURNED, kind)).mask
    assert np.array_equal(mask, polygon)
    assert int(mask.sum()) == 481


def test_an_upright_rectangle_of_four_points_is_a_box_and_encloses_area(tmp_path: Path) -> None:
    read = drawn(tmp_path, box("cat", [[10, 10], [30, 10], [30, 30], [10, 30]]))
    assert int(read.mask.sum()) == 441
    assert codes(read) == []


def test_a_rectangle_without_area_is_noted(tmp_path: Path) -> None:
    flat = [[10, 10], [30, 10], [30, 10], [10, 10]]
    assert codes(drawn(tmp_path, box("cat", flat))) == ["degenerate-shape"]


def test_a_cuboid_is_the_outline_around_its_eight_points(tmp_path: Path) -> None:
    front = [[10, 20], [30, 20], [30, 40], [10, 40]]
    back = [[x + 12, y - 12] for x, y in front]
    hull = [[10, 20], [22, 8], [42, 8], [42, 28], [30, 40], [10, 40]]
    expected = drawn(tmp_path / "hull", box("cat", hull, "polygon")).mask
    mask = drawn(tmp_path / "cuboid", box("cat", [*front, *back], "cuboid")).mask
    assert np.array_equal(mask, expected)


STRAY = [
    box("cat"),
    box("cat", [[1, 1]], "polygon"),
    box("cat", [[1, 1], [2, 2]], "polygon"),
    box("cat", [[1, 1], [2, float("nan")]], "line"),
    box("cat", BOX := [[1, 1], [2, 2]], "blob"),
]


def test_all_bad_shapes_of_a_file_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        drawn(tmp_path, *STRAY)
    assert caught.value.code == "bad-shape"
    for number in (1, 2, 3, 4):
        assert f"shapes[{number}]" in str(caught.value)
    assert "--bad-shape skip" in caught.value.hint


def test_bad_shapes_can_be_skipped(tmp_path: Path) -> None:
    more = box(""), box("cat", group_id=[1]), "no shape"
    read = drawn(tmp_path, *STRAY, *more, bad_shape="skip")
    assert int(read.mask.sum()) == 441
    assert codes(read) == ["shape-skipped"] * 7


def test_shares_of_the_size_are_not_pixels(tmp_path: Path) -> None:
    shares = [[0.1, 0.2], [0.9, 0.2], [0.9, 0.8]]
    with pytest.raises(SourceError, match=r"all 3 points lie within 0 to 1") as caught:
        drawn(tmp_path, box("cat", shares, "polygon"))
    assert caught.value.code == "points-normalized"
    assert "multiply x by the width" in caught.value.hint


def test_a_rectangle_in_shares_is_not_one_of_pixels(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="all 2 points lie within 0 to 1"):
        drawn(tmp_path, box("cat", [[0.1, 0.2], [0.5, 0.75]]))


def test_the_whole_image_in_shares_is_not_one_pixel(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="all 4 points lie within 0 to 1"):
        drawn(tmp_path, box("cat", [[0, 0], [1, 0], [1, 1], [0, 1]], "polygon"))
    corner = [[0, 0], [2, 0], [2, 1], [0, 1]]
    assert int(drawn(tmp_path, box("cat", corner, "polygon")).mask.sum()) == 6


def test_a_source_of_rectangles_alone_is_told(tmp_path: Path) -> None:
    """A public set of fruit holds a box around each, filled without a word."""
    for number in range(10):
        annotate(tmp_path, f"b{number}", box())
    (note,) = [n for n in Reader(tmp_path).scan().notes if n.code == "boxes-alone"]
    assert note.message.startswith("10 of 10 shapes are rectangles")
    outline = box(points=[[0, 0], [9, 0], [9, 9]], kind="polygon")
    annotate(tmp_path, "p0", outline)
    assert "boxes-alone" in {note.code for note in Reader(tmp_path).scan().notes}
    annotate(tmp_path, "p1", outline)
    assert "boxes-alone" not in {note.code for note in Reader(tmp_path).scan().notes}


def test_rectangles_among_points_are_told(tmp_path: Path) -> None:
    """A public set of circuits has boxes around parts, and points for their pins."""
    for number in range(10):
        pins = [box("pin", [[n, n]], "point") for n in (2, 5)]
        annotate(tmp_path, f"b{number}", box("part"), *pins)
    (note,) = [n for n in Reader(tmp_path).scan().notes if n.code == "boxes-alone"]
    assert note.message.startswith("10 of 30 shapes are rectangles, 20 are points: ")
