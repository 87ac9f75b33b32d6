"""What one file may cost: bounded work and memory, whatever its numbers say."""

import io
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from segprep.evaluation import arrays
from segprep.imaging import shapes, tiff
from segprep.imaging.image import histogram, replaced
from segprep.imaging.shapes import Shape
from segprep.sources.coco import coco_file
from segprep.sources.coco.coco_file import Category, CocoFile
from segprep.sources.isbi import tiff_stacks

SIDE = 3000


def peak(function: "object", *given: "object") -> float:
    """Bytes per pixel of a SIDE x SIDE picture that a call takes at its height."""
    tracemalloc.start()
    try:
        function(*given)  # type: ignore[operator]
        return tracemalloc.get_traced_memory()[1] / SIDE**2
    finally:
        tracemalloc.stop()


def triangle(number: int) -> Shape:
    at = 9 * number
    return Shape("polygon", (at, at, at + 90, at, at + 40, at + 90), number % 7, "a", "s", number)


def test_many_shapes_take_few_bytes_per_pixel() -> None:
    """Two for the numbers, one for the mask, two for the objects; NumPy's own way takes 16."""
    drawn = [triangle(number) for number in range(300)]
    assert peak(lambda: shapes.paint(drawn, SIDE, SIDE, objects=True)) < 9


def test_counting_wide_values_takes_no_copy_of_them() -> None:
    values = np.arange(SIDE * SIDE, dtype=np.uint16).reshape(SIDE, SIDE)
    assert peak(histogram, values) < 2


def test_replacing_in_parts_equals_replacing_at_once() -> None:
    values = np.arange(1501 * 999, dtype=np.int64).reshape(1501, 999) % 65_000
    table = np.arange(65_000, dtype=np.uint16)[::-1].copy()
    assert (replaced(values.astype(np.uint16), table) == table.take(values)).all()
    assert histogram(values.astype(np.uint16)) == dict(enumerate(np.bincount(values.ravel())))


def test_the_canvas_of_many_shapes_draws_as_that_of_few() -> None:
    """Of shapes painted once each, the pixels that show are the same in any canvas."""
    few = [triangle(number) for number in range(40)]
    painted = shapes.paint(few, 400, 500)
    beyond = [triangle(10_000 + number) for number in range(260)]  # outside
    again = shapes.paint([*few, *beyond], 400, 500)
    assert (painted.mask == again.mask).all()
    assert painted.shown == again.shown


def test_whole_floats_take_two_bytes_per_pixel() -> None:
    values = np.ones((SIDE, SIDE), np.float32)
    how = arrays.Reading(5)
    assert peak(arrays.ids, values, Path("a.npy"), how, True) < 4
    assert (arrays.ids(values, Path("a.npy"), how, True) == 1).all()
    values[-1, -1] = 0.5
    with pytest.raises(Exception, match="fractions"):
        arrays.ids(values, Path("a.npy"), how, True)


def stack(count: int) -> bytes:
    out = io.BytesIO()
    pages = [Image.new("L", (4, 4), n % 255) for n in range(count)]
    pages[0].save(out, "TIFF", save_all=True, append_images=pages[1:])
    return out.getvalue()


def test_every_page_of_a_stack_is_found_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pillow walks past all earlier pages; here it never takes a step."""
    (tmp_path / "a.tif").write_bytes(stack(60))
    surveyed = tiff_stacks.survey(tmp_path / "a.tif", (tmp_path,))
    monkeypatch.setattr(TiffImagePlugin.TiffImageFile, "_seek_check", lambda self, frame: False)
    for number in (59, 0, 31):
        page = tiff_stacks.page(surveyed, number, (tmp_path,))
        with Image.open(io.BytesIO(page)) as picture:
            assert picture.getpixel((0, 0)) == number % 255


@pytest.mark.parametrize("order", ["little", "big"])
def test_a_chain_of_pages_that_bites_its_tail_ends(order: str) -> None:
    mark = b"II\x2a\x00" if order == "little" else b"MM\x00\x2a"
    first, count = (8).to_bytes(4, order), (0).to_bytes(2, order)  # type: ignore[arg-type]
    assert tiff.page_places(mark + first + count + first) == (slice(4, 8), [first])
    assert tiff.page_places(mark + first + count + first[:2]) == (slice(4, 8), [])


def test_the_root_of_many_categories_is_found_in_one_pass() -> None:
    """60,000 categories took half a minute, each compared with all others."""
    count, compared = 3000, 0

    class Counting(str):
        __slots__ = ()
        __hash__ = str.__hash__

        def __eq__(self, other: object) -> bool:
            nonlocal compared
            compared += 1
            return str.__eq__(self, other)

    file = CocoFile(Path("a.json"))
    file.categories = [Category(n, f"c{n}", True, Counting("none")) for n in range(count)]
    coco_file._leave_root(file)
    assert len(file.categories) == count
    assert compared < 10 * count


def test_the_root_of_all_categories_is_no_class() -> None:
    file = CocoFile(Path("a.json"))
    file.categories = [Category(n, f"c{n}", True, "c0" if n else "none") for n in range(4)]
    coco_file._leave_root(file)
    assert [category.id for category in file.categories] == [1, 2, 3]
