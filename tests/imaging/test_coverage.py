"""What later shapes cover of each class, counted to the pixel."""

import numpy as np
import pytest

from segprep import kernel
from segprep.imaging import coverage, image
from segprep.imaging.coverage import covered_classes
from segprep.imaging.shapes import PaintOrder, Shape, in_order, paint
from segprep.types import Covered


def rectangle(value: int, label: str, x0: float, y0: float, x1: float, y1: float) -> Shape:
    return Shape("rectangle", (x0, y0, x1, y1), value, label, label, key=label)


def losses(*shapes: Shape, overlap: str = "order", priority: tuple[str, ...] = ()) -> list[Covered]:
    order = PaintOrder(overlap, priority)
    painted = paint(in_order(shapes, overlap, priority), 20, 20)
    notes = covered_classes(shapes, painted, order, background=0)
    return [note.covered for note in notes if note.covered]


GLASS, BODY = rectangle(2, "glass", 5, 5, 8, 8), rectangle(1, "body", 0, 0, 19, 19)


def test_a_class_that_a_later_one_covers_wholly() -> None:
    assert losses(GLASS, BODY) == [Covered("glass", 1, 1, 16, 16, "body")]


def test_in_the_other_order_the_outer_one_loses_what_the_inner_takes() -> None:
    assert losses(BODY, GLASS) == [Covered("body", 1, 0, 400, 16, "glass")]
    assert losses(GLASS, BODY, overlap="area") == [Covered("body", 1, 0, 400, 16, "glass")]


def test_shapes_of_one_class_take_nothing_from_each_other() -> None:
    assert losses(rectangle(1, "a", 0, 0, 9, 9), rectangle(1, "a", 2, 2, 12, 12)) == []


def test_holes_of_background_and_ignored_shapes_are_meant() -> None:
    assert losses(BODY, rectangle(0, "_background_", 5, 5, 8, 8)) == []
    assert losses(BODY, rectangle(255, "__ignore__", 5, 5, 8, 8)) == []


def test_a_sliver_is_not_told() -> None:
    assert losses(BODY, rectangle(2, "glass", 0, 0, 0, 2)) == []


def test_shapes_apart_cost_nothing() -> None:
    assert losses(rectangle(1, "a", 0, 0, 3, 3), rectangle(2, "b", 10, 10, 12, 12)) == []


@pytest.mark.parametrize("compiled", [True, False])
def test_random_shapes_against_sets_of_pixels(
    compiled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not compiled:
        monkeypatch.setattr(kernel, "compiled", None)
    rng = np.random.default_rng(3)
    for _ in range(50):
        corners = rng.integers(0, 20, (6, 2, 2))
        shapes = [
            rectangle(1 + n % 3, "abc"[n % 3], *c.min(0).tolist(), *c.max(0).tolist())
            for n, c in enumerate(corners)
        ]
        result = {loss.label: loss for loss in losses(*shapes)}
        mask = np.zeros((20, 20), int)
        alone = np.zeros((4, 20, 20), bool)
        for shape in shapes:
            x0, y0, x1, y1 = map(int, shape.points)
            mask[y0 : y1 + 1, x0 : x1 + 1] = shape.value
            alone[shape.value, y0 : y1 + 1, x0 : x1 + 1] = True
        for value, label in enumerate("abc", 1):
            lost = int((alone[value] & (mask != value)).sum())
            if lost >= 0.01 * alone[value].sum() and lost:
                assert (result[label].pixels, result[label].covered) == (
                    int(alone[value].sum()),
                    lost,
                )
            else:
                assert label not in result


@pytest.mark.parametrize("values", [0, 1, 3, 8, 9, 40, 256])
def test_what_covers_a_class_is_counted_as_every_mask_is(values: int) -> None:
    random = np.random.default_rng(values)
    pixels = random.integers(0, values, 5000 if values else 0).astype(np.uint8)
    counts = coverage._counts(pixels)
    assert list(counts.items()) == list(image.histogram(pixels.reshape(1, -1)).items())
