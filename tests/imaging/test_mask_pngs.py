"""Masks and objects as PNGs: indices, never luminance, and as few bits as they need."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays
from imaging.pictures import WHERE, code, made, opened, quick, saved, shapes, turned
from PIL import Image

from segprep.errors import SourceError
from segprep.imaging import image

# masks


@quick
@given(arrays(np.uint8, shapes))
def test_masks_come_back(mask: "np.ndarray[Any, Any]") -> None:
    for mode, palette in (("palette", image.voc_colors()), ("gray", None)):
        data = image.encode_mask(mask, mode)
        assert np.array_equal(image.decode_mask(data, WHERE), mask)
        assert opened(data).getpalette() == (list(palette) if palette else None)


@pytest.mark.parametrize(
    ("mode", "dtype"), [("L", np.uint8), ("P", np.uint8), ("1", np.uint8), ("I;16", np.uint16)]
)
def test_masks_are_indices_never_luminance(mode: str, dtype: Any) -> None:
    found = image.decode_mask(saved(made(mode)), WHERE)
    assert found.dtype == dtype
    assert np.array_equal(found, np.asarray(made(mode)))


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_small_palettes_are_indices_too(bits: int) -> None:
    picture = made("RGB").quantize(2**bits)
    assert np.array_equal(image.decode_mask(saved(picture, bits=bits), WHERE), np.asarray(picture))


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA"])
def test_colors_are_no_mask(mode: str) -> None:
    assert code(image.decode_mask, saved(made(mode)), WHERE) == "image-unsupported"


def test_float_is_no_mask() -> None:
    assert code(image.decode_mask, saved(made("F"), "TIFF"), WHERE) == "image-unsupported"


@pytest.mark.parametrize(
    ("most", "dtype"), [(0, np.uint8), (254, np.uint8), (255, np.uint16), (65_534, np.uint16)]
)
def test_objects_take_as_few_bits_as_they_need(most: int, dtype: Any) -> None:
    objects = np.array([[0, most, 65_535]], np.uint16)
    found = image.decode_mask(image.encode_objects(objects), WHERE)
    assert found.dtype == dtype
    assert found.tolist() == [[0, most, 255 if dtype == np.uint8 else 65_535]]


def test_voc_colors() -> None:
    """The first and last of VOC's own table, written down from the development kit."""
    table = np.frombuffer(image.voc_colors(), np.uint8).reshape(256, 3).tolist()
    assert table[:9] == [
        [0, 0, 0],
        [128, 0, 0],
        [0, 128, 0],
        [128, 128, 0],
        [0, 0, 128],
        [128, 0, 128],
        [0, 128, 128],
        [128, 128, 128],
        [64, 0, 0],
    ]
    assert table[20:22] == [[0, 64, 128], [128, 64, 128]]
    assert table[255] == [224, 224, 192]
    assert len({tuple(color) for color in table}) == 256


def test_write_and_read_a_mask(tmp_path: Path) -> None:
    image.write_mask(tmp_path / "a.png", np.array([[0, 1, 255]], np.int64))
    assert image.read_mask(str(tmp_path / "a.png")).tolist() == [[0, 1, 255]]


@pytest.mark.parametrize("wrong", [[[256]], [[-1]], [[0.5]], [[True]], [0, 1], [[]], [[[1]]]])
def test_what_is_no_mask_is_not_written(tmp_path: Path, wrong: Any) -> None:
    with pytest.raises(ValueError, match="a mask is"):
        image.write_mask(tmp_path / "a.png", np.array(wrong))
    assert not (tmp_path / "a.png").exists()


def test_the_header_of_a_png_decodes_no_pixel() -> None:
    """Its image data may be anything; EXIF data is found before and after them."""
    whole = saved(made("RGB"), "PNG", exif=turned(6))
    at = whole.index(b"IDAT") + 4
    corrupted = whole[:at] + bytes(64) + whole[at + 64 :]
    assert image.header(corrupted, WHERE).orientation == 6
    start, end = whole.index(b"eXIf") - 4, whole.index(b"IDAT") - 4
    chunk = whole[start:end]
    behind = whole[:start] + whole[end:-12] + chunk + whole[-12:]
    assert image.header(behind, WHERE).orientation == 6
    assert image.header(saved(made("RGB"), "PNG"), WHERE).orientation == 1


@pytest.mark.parametrize("form", ["GIF", "TIFF", "PNG"])
def test_a_mask_of_several_frames_is_refused_whatever_its_name(tmp_path: Path, form: str) -> None:
    frames = [Image.new("L", (9, 9), n) for n in range(3)]
    frames[0].save(tmp_path / "a.png", form, save_all=True, append_images=frames[1:])
    with pytest.raises(SourceError, match="several frames"):
        image.read_mask(tmp_path / "a.png")
    frames[0].save(tmp_path / "b.png", form)
    assert image.read_mask(tmp_path / "b.png").shape == (9, 9)
