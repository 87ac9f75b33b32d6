"""Flat masks are written as runs and copies from the row above: what zlib inflates, the same bytes
with and without the kernel.
"""

import contextlib
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from twins import Bytes, both, built

from segprep import kernel
from segprep.imaging import flat_code, flat_stream, image, png
from segprep.imaging.shapes import Shape, paint

quick = settings(max_examples=150, deadline=None)


@pytest.fixture(autouse=True, scope="module")
def small_masks() -> Iterator[None]:
    """As large ones are written."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flat_stream, "_LARGE", 0)
        yield


@st.composite
def flat_masks(draw: st.DrawFn) -> Bytes:
    """Blocks of a few values, most of them as wide and high as copies are long."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    height, width = draw(st.integers(1, 40)), draw(st.integers(16, 1400))
    values = np.array(draw(st.lists(st.integers(0, 255), min_size=1, max_size=6)), np.uint8)
    mask = np.full((height, width), values[0], np.uint8)
    for _ in range(draw(st.integers(0, 12))):
        row, column = random.integers(0, (height, width))
        size = random.integers(1, (12, draw(st.sampled_from((2, 12, 300, 1400)))))
        mask[row : row + size[0], column : column + size[1]] = random.choice(values)
    return mask


def rows_of(mask: Bytes) -> bytes:
    return b"".join(b"\0" + row.tobytes() for row in mask)


def reread(data: bytes) -> Bytes:
    return np.asarray(image.decode_mask(data, Path("mask.png")))


@quick
@given(flat_masks())
def test_zlib_inflates_the_rows(mask: Bytes) -> None:
    made = both(lambda: flat_stream.stream(mask, np.unique(mask)))
    assert made[0] == made[-1]
    if made[0] is not None:
        assert zlib.decompress(made[0]) == rows_of(mask)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 9, 33, 255, 256])
def test_any_number_of_values_has_a_code(count: int) -> None:
    values = np.arange(count, dtype=np.uint8)
    mask = np.repeat(np.resize(values, (20, 300)), 40, axis=1)
    for made in both(lambda: flat_stream.stream(mask, values)):
        assert made is not None
        assert zlib.decompress(made) == rows_of(mask)


@pytest.mark.parametrize("length", [1, 2, 3, 4, 257, 258, 259, 260, 261, 516, 517, 518, 519, 1034])
@pytest.mark.parametrize("value", [0, 7])
def test_runs_and_copies_of_every_length_end_where_they_should(length: int, value: int) -> None:
    mask = np.zeros((30, 2000), np.uint8)
    mask[3:9, 40 : 40 + length] = value or 9
    mask[5:] = value
    mask[20:, 1500 - length :] = 3
    for made in both(lambda: flat_stream.stream(mask, np.unique(mask))):
        assert made is not None
        assert zlib.decompress(made) == rows_of(mask)


@pytest.mark.parametrize("width", [16, 17, 255, 256, 257, 4095, 4096, 8192, 24_576, 32_767])
def test_rows_of_every_width_can_be_copied(width: int) -> None:
    mask = np.zeros((9, width), np.uint8)
    mask[2:, width // 3 : width // 2] = 5
    for made in both(lambda: flat_stream.stream(mask, (5,))):
        assert made is not None
        assert zlib.decompress(made) == rows_of(mask)


def test_others_are_left_to_isal() -> None:
    """Noise, values that were not named, rows too short or too long to be copied."""
    noise = np.random.default_rng(0).integers(0, 9, (400, 300), np.uint8)
    plain = np.zeros((400, 300), np.uint8)
    for mask, values in ((noise, range(9)), (plain + 1, (2,)), (plain[:, :15], ())):
        assert set(both(lambda: flat_stream.stream(mask, values))) == {None}  # noqa: B023
    assert flat_stream.stream(np.zeros((3, 32_768), np.uint8), ()) is None
    assert image.encode_mask(noise) == png.encode(noise, image.voc_colors())


@pytest.mark.parametrize("mode", ["palette", "gray"])
def test_a_large_mask_comes_back(mode: Any) -> None:
    mask = np.zeros((300, 400), np.uint8)
    mask[40:90, 30:200], mask[70:250, 150:390], mask[-1] = 1, 2, 255
    data = image.encode_mask(mask, mode)
    assert data == image.encode_mask(mask, mode, (0, 1, 2, 255))
    assert len(data) < len(png.encode(mask, image.voc_colors()))
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.mode == ("P" if mode == "palette" else "L")
        assert np.array_equal(np.asarray(picture), mask)
    assert np.array_equal(reread(data), mask)
    png.check(data)


def test_a_blank_mask_is_small() -> None:
    """Copies alone would take two and a half times as much."""
    assert len(image.encode_mask(np.zeros((720, 1280), np.uint8))) < 2700


def test_small_masks_are_left_to_isal() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flat_stream, "_LARGE", 1 << 16)
        for height, small in ((255, True), (256, False)):
            mask = np.zeros((height, 256), np.uint8)
            old = png.encode(mask, image.voc_colors())
            assert (image.encode_mask(mask) == old) == small


@quick
@given(
    st.lists(st.tuples(*[st.integers(-30, 330)] * 6), min_size=1, max_size=6),
    st.integers(0, 3),
    st.integers(16, 300),
)
def test_painted_masks_are_written_as_others(
    triangles: list[tuple[int, ...]], background: int, width: int
) -> None:
    """Also where a shape is hidden, so that its class does not occur."""
    shapes = [
        Shape("polygon", tuple(map(float, points)), 1 + number % 4, "one", "shapes[0]")
        for number, points in enumerate(triangles)
    ]

    def written() -> bytes:
        painted = paint(shapes, 250, width, background=background)
        return image.encode_mask(painted.mask, "palette", painted.pixels)

    made = both(written)
    again = paint(shapes, 250, width, background=background).mask.copy()
    assert {*made} == {image.encode_mask(again)}


def test_a_painted_mask_that_was_changed_is_written_as_it_is() -> None:
    square = Shape("polygon", (20.0, 20.0, 90.0, 20.0, 90.0, 90.0, 20.0, 90.0), 1, "one", "")
    painted = paint([square], 200, 300)
    changed = painted.mask.copy()
    changed[100:, :] = 1
    assert np.array_equal(reread(image.encode_mask(changed, "palette", (0, 1))), changed)
    with contextlib.suppress(ValueError):  # a copy has to be made
        painted.mask[100:, :] = 1
    assert np.array_equal(reread(image.encode_mask(painted.mask, "palette", (0, 1))), painted.mask)


@built
def test_the_kernel_refuses_sizes_that_do_not_fit() -> None:
    mask = np.zeros((20, 30), np.uint8)
    code = flat_code.code_of(b"\0", 31)
    assert kernel.compiled is not None
    rules = (16, 8, 4)
    assert kernel.compiled.deflate(mask, 30, (rules, code))
    for width, wrong in (
        (0, code),
        (8, code),
        (31, code),
        (30, code._replace(head=code.head[1:])),
        (30, code._replace(size=0)),
        (30, code._replace(size=code.size + 8)),
        (30, code._replace(literals=code.literals[1:])),
        (30, code._replace(lengths=code.lengths[:1])),
    ):
        with pytest.raises(ValueError, match="needed"):
            kernel.compiled.deflate(mask, width, (rules, wrong))
    for other in ((7, 8, 4), (16, 2, 4), (16, 9, 4), (16, 8, 1)):
        with pytest.raises(ValueError, match="needed"):
            kernel.compiled.deflate(mask, 30, (other, code))
