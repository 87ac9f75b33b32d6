"""16 bits per channel, and TIFF files that Pillow cuts or refuses: every value arrives."""

import struct
from pathlib import Path

import numpy as np
import pytest
from imaging.wide_files import RNG, png_file, tiff_file, wide

from segprep.errors import SourceError
from segprep.imaging import image, png, sixteen_bits, tiff

WHERE = Path("x")


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("channels", [2, 3, 4])
@pytest.mark.parametrize("size", [(1, 1), (9, 7), (3, 2)])
def test_png(size: tuple[int, int], channels: int, interlaced: bool) -> None:
    pixels = wide(*size, channels)
    read = sixteen_bits.read(png_file(pixels, interlaced), WHERE)
    assert read is not None
    assert np.array_equal(read, pixels)
    assert np.array_equal(sixteen_bits.read(png.encode(pixels), WHERE), pixels)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("deflate", [False, True])
@pytest.mark.parametrize("difference", [False, True])
@pytest.mark.parametrize("channels", [1, 3, 5])
def test_tiff(order: str, planar: bool, deflate: bool, difference: bool, channels: int) -> None:
    pixels = wide(12, 9, channels)
    data = tiff_file(
        pixels, planar=planar, order=order, deflate=deflate, difference=difference and deflate
    )
    read = sixteen_bits.read(data, WHERE)
    if channels == 1 and not planar:
        assert read is None  # plain 16-bit gray, which Pillow reads
    else:
        assert np.array_equal(read, pixels)
        assert image.header(data, WHERE).shape(upright=True) == (12, 9)


def test_signed_samples() -> None:
    pixels = RNG.integers(0, 9000, (6, 4, 1)).astype(np.int16)
    assert np.array_equal(sixteen_bits.read(tiff_file(pixels), WHERE), pixels)
    with pytest.raises(SourceError, match="from -1 to 8999") as caught:
        sixteen_bits.read(tiff_file(np.array([[[-1], [8999]]], np.int16)), WHERE)
    assert caught.value.code == "image-unsupported"


def test_one_plane_of_eight_bits_is_sound() -> None:
    pixels = RNG.integers(0, 256, (6, 4, 1)).astype(np.uint8)
    assert np.array_equal(sixteen_bits.read(tiff_file(pixels, planar=True), WHERE), pixels)


@pytest.mark.parametrize("cut", [30, 200])
def test_damage_is_named(cut: int) -> None:
    data = png_file(wide(9, 7, 3), False)
    with pytest.raises(SourceError) as caught:
        sixteen_bits.read(data[:cut] + b"\xff" + data[cut + 1 :], WHERE)
    assert caught.value.code == "image-damaged"
    with pytest.raises(SourceError):
        sixteen_bits.read(tiff_file(wide(9, 7, 3)).replace(b"\x07\0\0\0", b"\xff\xff\0\0"), WHERE)


def test_the_limit_of_pixels() -> None:
    for data in (png_file(wide(9, 7, 3), False), tiff_file(wide(9, 7, 3))):
        with pytest.raises(SourceError) as caught:
            sixteen_bits.read(data, WHERE, limit=20)
        assert caught.value.code == "image-too-large"


def test_smaller_copies_and_masks_are_no_further_pages() -> None:
    plain = tiff_file(wide(4, 4, 1), rows=4)
    assert not tiff.several(plain)
    page = struct.unpack("<I", plain[4:8])[0]
    body = plain[page:]
    for kind, more in ((1, False), (4, False), (0, True)):
        tags = struct.unpack_from("<H", body)[0]
        extra = struct.pack("<HHII", 254, 4, 1, kind)
        second = struct.pack("<H", tags + 1) + extra + body[2 : 2 + 12 * tags] + b"\0" * 4
        link = page + 2 + 12 * tags
        data = plain[:link] + struct.pack("<I", len(plain)) + plain[link + 4 :] + second
        assert len(tiff.pages(data)) == 2
        assert tiff.several(data) is more
