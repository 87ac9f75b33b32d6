"""The numbers of TIFF files as they are stored, whatever their type and compression."""

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from segprep.errors import SourceError
from segprep.imaging import samples, whole_numbers

PATH = Path("a.tif")


def tiff(pixels: np.ndarray[Any, Any], compression: str, predictor: int) -> bytes:
    """Pillow writes the rows of floats and integers with the predictor that is asked for."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "TIFF", compression=compression, tiffinfo={317: predictor})
    return out.getvalue()


def numbers(kind: str) -> np.ndarray[Any, Any]:
    values = np.random.default_rng(0).normal(0, 1000, (37, 41))
    return np.abs(values).astype(kind) if kind.startswith("u") else values.astype(kind)


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate"])
@pytest.mark.parametrize(
    ("kind", "predictor"),
    [("uint8", 2), ("uint16", 2), ("int32", 2), ("float32", 3), ("float32", 1), ("int32", 1)],
)
def test_numbers_come_back(kind: str, predictor: int, compression: str) -> None:
    data = tiff(numbers(kind), compression, predictor if compression != "raw" else 1)
    read = samples.read(data, PATH)
    assert read is not None
    assert read.dtype == kind
    assert (read[..., 0] == numbers(kind)).all()


def test_bytes_in_the_other_order() -> None:
    """A file of Motorola's order, with 64-bit floats, written by hand."""
    pixels = numbers("float64").astype(">f8")
    tags = [(256, 41), (257, 37), (258, 64), (259, 1), (262, 1), (273, 8), (277, 1), (278, 37)]
    tags += [(279, pixels.nbytes), (339, 3)]
    page = b"".join(struct.pack(">HHII", tag, 4, 1, value) for tag, value in tags)
    header = b"MM\0*" + struct.pack(">I", 8 + pixels.nbytes)
    data = header + pixels.tobytes() + struct.pack(">H", len(tags)) + page + bytes(4)
    read = samples.read(data, PATH)
    assert read is not None
    assert (read[..., 0] == pixels).all()


def test_what_is_no_raster_of_numbers() -> None:
    out = io.BytesIO()
    Image.new("RGB", (3, 3)).save(out, "PNG")
    assert samples.read(out.getvalue(), PATH) is None
    bits = io.BytesIO()
    Image.new("1", (9, 3)).save(bits, "TIFF")
    assert samples.read(bits.getvalue(), PATH) is None


def test_the_limit_on_pixels() -> None:
    with pytest.raises(SourceError, match="1000 pixels"):
        samples.read(tiff(numbers("float32"), "raw", 1), PATH, 1000)


def test_plain_files_are_left_to_others() -> None:
    assert whole_numbers.of_raster(tiff(numbers("uint8"), "raw", 1), PATH) is None
