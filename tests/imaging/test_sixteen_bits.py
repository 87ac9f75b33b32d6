"""16 bits per channel, and TIFF files that Pillow cuts or refuses: every value arrives."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from segprep.errors import SourceError
from segprep.imaging import image, png, sixteen_bits, tiff

WHERE = Path("x")
RNG = np.random.default_rng(0)
ADAM7 = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)


def wide(height: int, width: int, channels: int) -> NDArray[np.uint16]:
    return RNG.integers(0, 65_536, (height, width, channels)).astype(np.uint16)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def filtered(rows: NDArray[np.uint16]) -> bytes:
    """Scanlines with filters 1 (left) and 2 (up) in turn."""
    lines = rows.astype(">u2").view(np.uint8).reshape(len(rows), -1)
    step, out = 2 * rows.shape[2], b""
    for number, line in enumerate(lines):
        if number % 2:
            out += b"\2" + (line - lines[number - 1]).tobytes()
        else:
            left = np.concatenate([np.zeros(step, np.uint8), line[:-step]])
            out += b"\1" + (line - left).tobytes()
    return out


def png_file(pixels: NDArray[np.uint16], interlaced: bool) -> bytes:
    height, width, channels = pixels.shape
    kind = {2: 4, 3: 2, 4: 6}[channels]
    header = struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, interlaced)
    passes = [pixels[y::dy, x::dx] for x, y, dx, dy in ADAM7] if interlaced else [pixels]
    raw = b"".join(filtered(part) for part in passes if part.size)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")
    return png.SIGNATURE + body


def tiff_file(
    pixels: NDArray[np.generic],
    *,
    planar: bool = False,
    order: str = "<",
    rows: int = 5,
    deflate: bool = False,
    difference: bool = False,
) -> bytes:
    """A TIFF in strips of *rows* rows, by the letter of the specification."""
    height, width, channels = pixels.shape
    planes = [pixels[..., n : n + 1] for n in range(channels)] if planar else [pixels]
    strips = []
    for plane in planes:
        for start in range(0, height, rows):
            part = plane[start : start + rows].astype(plane.dtype.newbyteorder(order))
            if difference:
                part = np.diff(part, axis=1, prepend=np.zeros_like(part[:, :1]))
            packed = part.astype(plane.dtype.newbyteorder(order)).tobytes()
            strips.append(zlib.compress(packed) if deflate else packed)
    data, offsets = (b"II*\0" if order == "<" else b"MM\0*") + b"\0" * 4, []
    for strip in strips:
        offsets.append(len(data))
        data += strip + b"\0" * (len(strip) % 2)
    bits, signed = 8 * pixels.dtype.itemsize, 2 if pixels.dtype.kind == "i" else 1
    tags = {
        256: [width], 257: [height], 258: [bits] * channels, 259: [8 if deflate else 1], 262: [1],
        273: offsets, 277: [channels], 278: [rows], 279: [len(strip) for strip in strips],
        284: [2 if planar else 1], 317: [2 if difference else 1], 339: [signed] * channels,
    }  # fmt: skip
    start = len(data)
    entries, values, after = b"", b"", start + 6 + 12 * len(tags)
    for tag, numbers in tags.items():
        packed = struct.pack(f"{order}{len(numbers)}I", *numbers)
        if len(packed) > 4:
            packed, values = struct.pack(f"{order}I", after + len(values)), values + packed
        entries += struct.pack(f"{order}HHI", tag, 4, len(numbers)) + packed
    page = struct.pack(f"{order}H", len(tags)) + entries + b"\0" * 4 + values
    return data[:4] + struct.pack(f"{order}I", start) + data[8:] + page


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
