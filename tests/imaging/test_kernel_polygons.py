"""The compiled kernel draws polygons, and counts what they cover, as Pillow and NumPy do."""

import importlib.util
import math
import subprocess
import sysconfig
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from twins import Bytes, both, built

from segprep import kernel
from segprep.errors import ShapeError
from segprep.imaging import like_pillow
from segprep.imaging.coordinates import coordinates
from segprep.imaging.coverage import covered_classes
from segprep.imaging.raster import LIMIT, Canvas
from segprep.imaging.shapes import PaintOrder, Shape, paint

EIGHT, POINT = np.arange(8, dtype=np.uint8), (0.0, 0.0)


@st.composite
def polygons(draw: st.DrawFn) -> tuple[tuple[int, int], tuple[float, ...]]:
    """(H, W) and flat points: noise within and around, a coarse grid, stars, steps, far corners."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    height, width = draw(st.integers(1, 60)), draw(st.integers(1, 60))
    count = draw(st.integers(1, 14)) if draw(st.integers(0, 4)) else draw(st.integers(15, 150))
    turn = np.arange(count) * math.tau / count
    reach = random.uniform(0.2, 1, count) * max(height, width)
    star = np.stack([width / 2 + reach * np.cos(turn), height / 2 + reach * np.sin(turn)], 1)
    steps = np.array([width // 2, height // 2]) + np.cumsum(random.integers(-3, 4, (count, 2)), 0)
    kinds = [
        random.uniform((-5, -5), (width + 5, height + 5), (count, 2)),
        random.uniform(-LIMIT, LIMIT, (count, 2)),
        random.integers(0, 6, (count, 2)).astype(float),
        star,
        steps.astype(float),
    ]
    points = kinds[draw(st.integers(0, 4))]
    if draw(st.booleans()):
        points[random.integers(count)] = points[0]
    if draw(st.booleans()):
        points[:, 1] = np.clip(np.round(points[:, 1] / 4) * 4, -LIMIT, LIMIT)  # 32,768 is clipped
    return (height, width), tuple(points.ravel().tolist())


@built
@settings(max_examples=400)
@given(polygons())
def test_polygons_are_pillow_s(case: tuple[tuple[int, int], tuple[float, ...]]) -> None:
    (height, width), points = case
    picture = Image.new("L", (width, height))
    if len(points) > 2:  # Pillow draws no polygon of one point
        ImageDraw.Draw(picture).polygon(points, fill=7, outline=7)
        drawn = np.zeros((height, width), np.uint8)
        kernel.compiled.polygon(drawn, width, LIMIT, points, 7)  # type: ignore[union-attr]
        assert np.array_equal(drawn, np.asarray(picture))
        canvases = both(lambda: canvas_of(height, width, points))
        assert np.array_equal(*canvases)


def canvas_of(height: int, width: int, points: tuple[float, ...]) -> Bytes:
    canvas = Canvas(height, width)
    canvas.polygon(points, 7)
    return np.asarray(canvas.array())


def layers(shapes: list[Shape], size: tuple[int, int], *, objects: bool = False) -> list[Any]:
    """All that is known of *shapes* painted one over the other."""
    painted = paint(shapes, *size, objects=objects)
    numbers = None if painted.objects is None else painted.objects.tolist()
    losses = covered_classes(shapes, painted, PaintOrder(), background=0)
    return [painted.mask.tolist(), numbers, painted.pixels, painted.shown, painted.notes, losses]


def square(side: float, value: int, x: float = 0, y: float = 0) -> Shape:
    points = (x, y, x + side, y, x + side, y + side, x, y + side)
    return Shape("polygon", points, value, f"class {value}", "", (value, x, y))


@built
@settings(max_examples=300)
@given(st.lists(polygons(), min_size=1, max_size=6), st.integers(0, 2**32), st.booleans())
def test_polygons_are_painted_together_as_one_by_one(
    cases: list[tuple[tuple[int, int], tuple[float, ...]]], seed: int, objects: bool
) -> None:
    """Those of the background (0) and of 255 cut holes."""
    random = np.random.default_rng(seed)
    shapes = [
        Shape("polygon", points * 3 if len(points) < 6 else points, value, f"class {value}", "", at)
        for at, ((_, points), value) in enumerate(
            zip(cases, random.choice([0, 1, 2, 3, 255], len(cases)).tolist(), strict=True)
        )
    ]
    mine, plain = both(lambda: layers(shapes, cases[0][0], objects=objects))
    assert mine == plain


@built
@pytest.mark.parametrize("objects", [False, True])
@pytest.mark.parametrize("count", [40, 255, 256, 1100])
def test_very_many_polygons_are_painted_the_same(count: int, objects: bool) -> None:
    shapes = [square(3, 1 + n % 3, 5 * (n % 40), 5 * (n // 40)) for n in range(count)]
    shapes += [square(2, 1 + n % 2, 5 * (n % 40) + 1, 5 * (n // 40)) for n in range(count)]
    mine, plain = both(lambda: layers(shapes, (210, 210), objects=objects))
    assert mine == plain


@built
@pytest.mark.parametrize("count", [120, 300])
def test_polygons_that_lie_too_deep_are_painted_one_by_one(count: int) -> None:
    shapes = [square(5, 1 + n % 2) for n in range(count)]
    assert (paint(shapes, 9, 9).over is None) == (count > 255)
    mine, plain = both(lambda: layers(shapes, (9, 9)))
    assert mine == plain


@built
def test_a_class_of_many_polygons_is_counted_once() -> None:
    """Each of 300 squares of one class, the left half of each covered by one of another."""
    corners = [(15 * (n % 20), 15 * (n // 20)) for n in range(300)]
    sides = [(9, 1, "cell"), (4, 2, "dirt")]
    shapes = [
        Shape("polygon", (x, y, x + side, y, x + side, y + 9, x, y + 9), value, label, "")
        for side, value, label in sides
        for x, y in corners
    ]
    mine, plain = both(lambda: layers(shapes, (300, 300)))
    assert mine == plain
    assert [note.covered.covered for note in mine[-1]] == [300 * 50]


@built
def test_polygons_of_too_many_pixels_or_spans_are_not_painted_together() -> None:
    assert kernel.compiled is not None
    shape, inks = square(3, 1).points, bytes(2)
    canvas = np.empty((4, 4), np.uint8)
    assert kernel.compiled.paint(canvas, 4, 9.0, 8.0, (shape,), inks, inks, None) is None
    assert kernel.compiled.paint(canvas, 4, 9.0, 9.0, (shape,), inks, inks, None) == (
        {1: 16},
        {},
        None,
    )
    many, inks = 70_000, bytes(70_001)  # of 17 rows
    tall, shapes = np.empty((17, 2), np.uint8), (square(17, 1).points,) * many
    assert kernel.compiled.paint(tall, 2, 99.0, 1e9, shapes, inks, inks, None) is None


NUMBERS = st.one_of(
    st.integers(-10, 10),
    st.floats(),
    st.booleans(),
    st.sampled_from([10**6, -(10**6), 10**6 + 1, 10**400, None, "1"]),
)
PAIRS = st.one_of(
    st.lists(st.floats(-9, 9), min_size=2, max_size=2),
    st.lists(NUMBERS, max_size=3),
    st.tuples(NUMBERS, NUMBERS),
    st.none(),
)


@built
@given(st.lists(PAIRS, max_size=5))
def test_points_are_checked_the_same(pairs: list[Any]) -> None:
    def look() -> object:
        try:
            return [(type(value), value) for value in coordinates(pairs, "points", least=0)]
        except ShapeError as error:
            return error.message

    mine, plain = both(look)
    assert mine == plain


@built
def test_a_kernel_that_draws_other_polygons_than_pillow_draws_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert like_pillow.kernel() is kernel.compiled
    monkeypatch.setattr(kernel, "compiled", SimpleNamespace(polygon=lambda *_: 1.0))
    like_pillow.kernel.cache_clear()
    assert like_pillow.kernel() is None
    like_pillow.kernel.cache_clear()


@built
@pytest.mark.parametrize("rounding", ["-Dfloat=double", "-mfpmath=387"])
def test_a_kernel_that_rounds_otherwise_than_pillow_draws_no_polygons(
    rounding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on processors that multiply and add in one step."""
    out, folder = tmp_path / "_kernel.so", Path(kernel.__file__).parent
    sources = [
        folder / name
        for name in ("_kernel.c", "_inflate.c", "_pairs.c", "_png.c", "_polygons.c", "_signals.c")
    ]
    command: list[str | Path] = [
        "cc",
        "-shared",
        "-fPIC",
        f"-I{sysconfig.get_path('include')}",
        rounding,
        *sources,
    ]
    try:
        subprocess.run([*command, "-o", out], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no compiler, or none that rounds so")
    spec = importlib.util.spec_from_file_location("_kernel", out)
    assert spec is not None
    assert spec.loader is not None
    other = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(other)
    monkeypatch.setattr(kernel, "compiled", other)
    like_pillow.kernel.cache_clear()
    assert like_pillow.kernel() is None
    like_pillow.kernel.cache_clear()


@built
@pytest.mark.parametrize("far", [10.0, -10.0, math.inf, math.nan])
def test_a_polygon_beyond_the_limit_is_not_drawn(far: float) -> None:
    for points in ((0.0, 0.0, 3.0, 1.0, far, 0.0), (0.0, far, 3.0, 1.0, 2.0, 0.0)):
        pixels = EIGHT.copy()
        assert kernel.compiled.polygon(pixels, 4, 9.0, points, 1) is None  # type: ignore[union-attr]
        inks = b"012"
        layers = kernel.compiled.paint(  # type: ignore[union-attr]
            EIGHT.copy(), 4, 9.0, 9.0, (POINT, points), inks, inks, None
        )
        assert layers is None
        assert np.array_equal(pixels, EIGHT)
