"""Polygons painted as spans, without the kernel: what painting them one by one gives."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segprep import kernel
from segprep.imaging import flat_pixels, image, like_pillow, polygon_spans, span_layers
from segprep.imaging.coverage import covered_classes
from segprep.imaging.shapes import PaintOrder, Shape, paint

SIZE = (41, 53)


@pytest.fixture(autouse=True, scope="module")
def without_kernel() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernel, "compiled", None)
        like_pillow.kernel.cache_clear()
        yield
    like_pillow.kernel.cache_clear()


def polygon(points: tuple[float, ...], value: int) -> Shape:
    return Shape("polygon", points, value, f"class {value}", "", (value, points))


def all_of(shapes: list[Shape], *, objects: bool = False) -> tuple[object, ...]:
    painted = paint(shapes, *SIZE, objects=objects)
    losses = covered_classes(shapes, painted, PaintOrder(), background=0)
    numbers = None if painted.objects is None else painted.objects.tolist()
    return painted.mask.tolist(), numbers, painted.pixels, painted.shown, painted.notes, losses


def one_by_one(shapes: list[Shape], *, objects: bool = False) -> tuple[object, ...]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(span_layers, "MOST", 0)
        return all_of(shapes, objects=objects)


@st.composite
def polygons(draw: st.DrawFn) -> list[Shape]:
    """Noise, coarse grids (whose corners and edges meet), slivers and far corners, and holes."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    shapes = []
    for _ in range(draw(st.integers(1, 7))):
        count, reach = int(random.integers(3, 20)), random.choice([4, 12, 60, 400, 30_000])
        points = random.uniform(-reach / 3, reach, 2 * count)
        if random.integers(2):
            points = np.round(points)
        value = int(random.choice([0, 1, 2, 3, 255]))
        shapes.append(polygon(tuple(points.tolist()), value))
    return shapes


@settings(max_examples=400, deadline=None)
@given(polygons(), st.booleans())
def test_spans_paint_and_count_as_one_by_one(shapes: list[Shape], objects: bool) -> None:
    assert paint(shapes, *SIZE).over is not None
    assert all_of(shapes, objects=objects) == one_by_one(shapes, objects=objects)


@pytest.mark.parametrize("count", [span_layers.MOST, span_layers.MOST + 1])
def test_more_polygons_than_bits_are_painted_one_by_one(count: int) -> None:
    corners = [(n % 40, n % 31) for n in range(count)]
    shapes = [
        polygon((x, y, x + 9, y, x + 9, y + 9, x, y + 7), 1 + (x + y) % 5) for x, y in corners
    ]
    assert (paint(shapes, *SIZE).over is None) == (count > span_layers.MOST)
    assert all_of(shapes) == one_by_one(shapes)


@pytest.mark.parametrize("limit", ["_CORNERS", "_MEETINGS", "FARTHEST"])
def test_polygons_beyond_reach_are_painted_one_by_one(
    limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes = [
        polygon((1.0, 1.0, 30.0, 2.0, 9.0, 30.0), 1),
        polygon((5.0, 5.0, 9.0, 5.0, 7.0, 9.0), 2),
    ]
    expected = all_of(shapes)
    monkeypatch.setattr(polygon_spans, limit, 5)
    assert paint(shapes, *SIZE).over is None
    assert all_of(shapes) == expected


def test_spans_that_are_not_pillow_s_paint_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """One pixel more is enough."""
    assert like_pillow.spans()
    real = polygon_spans.spans

    def wider(*arguments: object) -> object:
        begins, ends = real(*arguments)  # type: ignore[arg-type, misc]
        return begins, np.append(ends[:-1], ends[-1] + 1)

    monkeypatch.setattr(polygon_spans, "spans", wider)
    like_pillow.spans.cache_clear()
    assert not like_pillow.spans()
    assert paint([polygon((1.0, 1.0, 30.0, 2.0, 9.0, 30.0), 1)], *SIZE).over is None
    like_pillow.spans.cache_clear()


def test_a_mask_with_a_hidden_class_is_encoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its runs, although one value does not occur."""
    monkeypatch.setattr(flat_pixels, "of_pixels", lambda *_: pytest.fail("encoded again"))
    corners = (10.0, 10.0, 290.0, 10.0, 290.0, 290.0, 10.0, 290.0)
    painted = paint([polygon(corners, 1), polygon(corners, 2)], 300, 300)
    assert set(painted.pixels) == {0, 2}
    assert image.encode_mask(painted.mask, "palette", painted.pixels)
