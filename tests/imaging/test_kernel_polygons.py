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
from segprep.imaging import raster
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


@built
@given(st.lists(polygons(), min_size=2, max_size=6), st.integers(0, 2**32))
def test_what_covers_polygons_is_counted_the_same(
    cases: list[tuple[tuple[int, int], tuple[float, ...]]], seed: int
) -> None:
    random = np.random.default_rng(seed)
    shapes = [
        Shape("polygon", points * 3 if len(points) < 6 else points, value, f"class {value}", "")
        for (_, points), value in zip(
            cases, random.integers(1, 4, len(cases)).tolist(), strict=True
        )
    ]
    painted = paint(shapes, *cases[0][0])
    mine, plain = both(lambda: covered_classes(shapes, painted, PaintOrder(), background=0))
    assert mine == plain


@built
def test_of_very_many_polygons_no_boxes_are_compared() -> None:
    square = np.array([0, 0, 3, 0, 3, 3, 0, 3], float)
    shapes = [
        Shape("polygon", tuple((square + 5 * (n % 40)).tolist()), 1 + n % 3, "abc"[n % 3], "")
        for n in range(1100)
    ]
    painted = paint(shapes, 210, 210)
    mine, plain = both(lambda: covered_classes(shapes, painted, PaintOrder(), background=0))
    assert len(mine) == 3
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
    painted = paint(shapes, 300, 300)
    mine, plain = both(lambda: covered_classes(shapes, painted, PaintOrder(), background=0))
    assert mine == plain
    assert [note.covered.covered for note in mine if note.covered] == [300 * 50]


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
    assert raster.kernel_like_pillow() is kernel.compiled
    monkeypatch.setattr(kernel, "compiled", SimpleNamespace(polygon=lambda *_: 1.0))
    raster.kernel_like_pillow.cache_clear()
    assert raster.kernel_like_pillow() is None
    raster.kernel_like_pillow.cache_clear()


@built
@pytest.mark.parametrize("rounding", ["-Dfloat=double", "-mfpmath=387"])
def test_a_kernel_that_rounds_otherwise_than_pillow_draws_no_polygons(
    rounding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on processors that multiply and add in one step."""
    out, folder = tmp_path / "_kernel.so", Path(kernel.__file__).parent
    sources = [folder / name for name in ("_kernel.c", "_png.c", "_polygons.c", "_signals.c")]
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
    raster.kernel_like_pillow.cache_clear()
    assert raster.kernel_like_pillow() is None
    raster.kernel_like_pillow.cache_clear()


@built
@pytest.mark.parametrize("far", [10.0, -10.0, math.inf, math.nan])
def test_a_polygon_beyond_the_limit_is_not_drawn(far: float) -> None:
    assert kernel.compiled.covers(EIGHT, 4, 9.0, ((), POINT), b"12") is None  # type: ignore[union-attr]
    for points in ((0.0, 0.0, 3.0, 1.0, far, 0.0), (0.0, far, 3.0, 1.0, 2.0, 0.0)):
        pixels = EIGHT.copy()
        assert kernel.compiled.polygon(pixels, 4, 9.0, points, 1) is None  # type: ignore[union-attr]
        covers = kernel.compiled.covers(EIGHT, 4, 9.0, (POINT, points), b"12")  # type: ignore[union-attr]
        assert covers is None
        assert np.array_equal(pixels, EIGHT)
