"""The guard of every shape: whatever a reader hands over, only what can be drawn is drawn."""

import ast
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from segprep.errors import ShapeError, SourceError
from segprep.imaging.coordinates import FARTHEST, MAX_POINTS, coordinates, flat_coordinates
from segprep.imaging.shapes import PaintOrder, Shape, TooManyError, paint, paint_file

TRIANGLE = (1.0, 1.0, 6.0, 1.0, 6.0, 6.0)
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, FARTHEST + 1, -1e9, 1e100, 10**400]
)
@pytest.mark.parametrize("position", range(6))
def test_no_shape_has_a_coordinate_that_is_not_finite_or_absurd(value: Any, position: int) -> None:
    points = [*TRIANGLE[:position], value, *TRIANGLE[position + 1 :]]
    with pytest.raises(ShapeError, match=r"^shapes\[3\]: a coordinate is not finite") as caught:
        Shape("polygon", tuple(points), 1, "cat", "shapes[3]")
    assert caught.value.code == "bad-shape"


@pytest.mark.parametrize(
    ("kind", "count"),
    [("polygon", 0), ("polygon", 2), ("rectangle", 1), ("line", 1), ("points", 0), ("disc", 0)],
)
def test_no_shape_has_too_few_points(kind: Any, count: int) -> None:
    with pytest.raises(ShapeError, match=f"{kind} needs . to {MAX_POINTS} points, has {count}"):
        Shape(kind, TRIANGLE[: 2 * count], 1, "cat", "shapes[0]")


@pytest.mark.parametrize("value", [-1, 256, 1.5, "1", None, True])
def test_no_shape_has_a_class_id_out_of_range(value: Any) -> None:
    with pytest.raises(ShapeError, match=r"shapes\[0\]: class id"):
        Shape("polygon", TRIANGLE, value, "cat", "shapes[0]")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"radius": math.nan}, "radius or width"),
        ({"radius": -1.0}, "radius or width"),
        ({"width": 10**9}, "radius or width"),
        ({"points": (*TRIANGLE, 1.0)}, "3 and a half"),
        ({"points": ("1", "2") * 3}, "'1', not a number"),
        ({"kind": "stamp"}, "needs a bitmap"),
    ],
)
def test_no_shape_is_drawn_with_a_wrong_field(fields: dict[str, Any], reason: str) -> None:
    sound = {"kind": "polygon", "points": TRIANGLE, "value": 1, "label": "cat", "address": "x"}
    Shape(**sound)
    with pytest.raises(ShapeError, match=reason):
        Shape(**(sound | fields))


def test_no_format_draws_on_a_canvas() -> None:
    """So that no reader can paint past the guard; imaging and the check that measures may draw."""
    users = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "segprep").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module == "segprep.imaging.raster"
        if any(alias.name == "Canvas" for alias in node.names)
    }
    measured = {"segprep/checking/annotations.py"}
    assert {user for user in users if not user.startswith("segprep/imaging/")} == measured


@pytest.mark.parametrize(
    ("pairs", "reason"),
    [
        ({"0": [1, 2]}, "a list was expected, not dict"),
        ([[1, 2], [3, 4]], "a polygon needs 3 to 100000 points, has 2"),
        ([[1, 2], [3, math.nan], [5, 6]], r"points\[1\]: two finite numbers"),
        ([[1, 2], [3, 4, 5], [5, 6]], r"points\[1\]: two finite numbers"),
        ([[1, 2], [3, 4], [5, True]], r"points\[2\]: two finite numbers"),
        ([[1, 2], [3, 4], [10**400, 6]], r"points\[2\]: two finite numbers"),
    ],
)
def test_pairs_are_checked_with_their_address(pairs: Any, reason: str) -> None:
    with pytest.raises(ShapeError, match=reason):
        coordinates(pairs, "shapes[0].points", "a polygon", least=3)


def test_sound_pairs_become_flat_and_keep_their_numbers() -> None:
    assert coordinates([[1, 2.5], [3, 4]], "p", least=2) == (1, 2.5, 3, 4)
    assert flat_coordinates(np.array([1.0, 2.0]), "p") is not None


def test_too_many_points_are_too_complex() -> None:
    with pytest.raises(ShapeError) as caught:
        coordinates([[1, 2]] * (MAX_POINTS + 1), "p")
    assert caught.value.code == "shape-too-complex"


def square(value: int, label: str, address: str, at: float = 0.0) -> Shape:
    return Shape("rectangle", (at, at, at + 3, at + 3), value, label, address, key=address)


def test_what_cannot_be_painted_names_the_file() -> None:
    two = [square(1, "a", "shapes[0]"), square(2, "b", "shapes[1]", 2.0)]
    with pytest.raises(SourceError, match=r"x\.json: shapes\[0\] \(a\) and shapes\[1\] \(b\)") as e:
        paint_file(two, (8, 8), path=Path("x.json"), address="shapes", order=PaintOrder("error"))
    assert e.value.code == "overlap"


def test_more_instances_than_an_instance_mask_numbers() -> None:
    many = [Shape("points", (0.0, 0.0), 1, "a", "s", key=n) for n in range(65_535)]
    with pytest.raises(TooManyError, match="65535 instances"):
        paint(many, 1, 1, objects=True)
