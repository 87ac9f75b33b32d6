"""Files whose heads end early or say what cannot be: damaged, never a fault of segprep."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from segprep.errors import SourceError
from segprep.imaging import mask_files, png, png_rows, sixteen_bits, tiff, whole_numbers

NAME = Path("x.tif")


def wide_tiff(**changed: int) -> bytes:
    """Three channels of 16 bits; the tags *changed* have other values, or (0) another number."""
    out = io.BytesIO()
    tifffile.imwrite(out, np.zeros((5, 7, 3), np.uint16), photometric="rgb", metadata=None)
    data = bytearray(out.getvalue())
    (start,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, start)
    for at in range(start + 2, start + 2 + 12 * count, 12):
        (tag,) = struct.unpack_from("<H", data, at)
        if (value := changed.get(f"tag{tag}")) is not None:
            data[at : at + 12] = struct.pack("<HHII", tag, 4, 1, value) if value else bytes(12)
    return bytes(data)


def test_a_tiff_of_other_tags_is_made() -> None:
    assert sixteen_bits.read(wide_tiff(), NAME) is not None
    layout = tiff.first(wide_tiff(tag257=9))
    assert layout
    assert layout.number(tiff.HEIGHT) == 9


@pytest.mark.parametrize(
    "changed",
    [
        {"tag257": 0, "tag256": 2**32 - 1},  # no height, and a width that three times is none
        {"tag277": 2**32 - 1},
        {"tag277": 70_000},
    ],
)
def test_sizes_that_no_page_has_are_refused(changed: dict[str, int]) -> None:
    with pytest.raises(SourceError, match="are allowed"):
        sixteen_bits.read(wide_tiff(**changed), NAME)


def test_a_png_that_ends_at_any_byte_is_damaged() -> None:
    out = io.BytesIO()
    Image.fromarray(np.arange(35, dtype=np.uint8).reshape(5, 7)).convert("P").save(out, "PNG")
    data = out.getvalue()
    deep = data[:24] + b"\x10" + data[25:]
    for length in range(9, data.index(b"IDAT")):
        assert not png.is_deep(data[:length])
        assert not png.is_deep(deep[:length])
        with pytest.raises(SourceError):
            mask_files.lit(deep[:length], Path("x.png"))


def test_a_palette_that_ends_early_is_read_as_far(tmp_path: Path) -> None:
    """Whether pixels follow is found when they are read."""
    out = io.BytesIO()
    Image.fromarray(np.zeros((5, 7), np.uint8)).convert("P").save(out, "PNG")
    data = out.getvalue()
    at = data.index(b"PLTE")
    for length in range(at, at + 30):
        (tmp_path / "x.png").write_bytes(data[:length])
        with open(tmp_path / "x.png", "rb") as file:
            assert png_rows.opened(file, tmp_path / "x.png") is None


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan, 0.5])
def test_what_is_no_whole_number_is_told_without_a_warning(value: float) -> None:
    with pytest.raises(SourceError, match="fractions"):
        whole_numbers.whole_numbers(np.array([[1, value], [0, 0]], np.float32), NAME)
