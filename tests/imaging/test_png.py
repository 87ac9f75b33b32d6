"""PNG bytes: what we write is what Pillow reads; a check finds every cut and every flipped bit."""

import io
import struct
import subprocess
import sys
import zlib
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from segprep import kernel
from segprep.imaging import png

quick = settings(max_examples=50, deadline=None)
sizes = st.tuples(st.integers(1, 20), st.integers(1, 20))
PALETTE = bytes(range(256)) * 3


def by_pillow(mode: str, size: tuple[int, int] = (13, 9), **saving: Any) -> bytes:
    gray = Image.linear_gradient("L").resize(size)
    picture = (
        Image.fromarray(np.asarray(gray).astype(np.uint16) * 257)
        if mode == "I;16"
        else gray.convert("RGB").convert(mode)
    )
    out = io.BytesIO()
    picture.save(out, "PNG", **saving)
    return out.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def handmade(
    width: int, height: int, rows: bytes, depth: int = 8, interlaced: int = 0, parts: int = 1
) -> bytes:
    """A gray PNG with *rows* (not yet deflated) in *parts* IDAT chunks."""
    body = zlib.compress(rows)
    cuts = [len(body) * n // parts for n in range(parts + 1)]
    data = b"".join(chunk(b"IDAT", body[start:end]) for start, end in pairwise(cuts))
    return (
        png.SIGNATURE
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, interlaced))
        + data
        + chunk(b"IEND", b"")
    )


@quick
@given(arrays(np.uint8, sizes), st.booleans())
def test_8_bit_comes_back(pixels: "np.ndarray[Any, Any]", indexed: bool) -> None:
    data = png.encode(pixels, PALETTE if indexed else None)
    png.check(data)
    picture = Image.open(io.BytesIO(data))
    assert picture.mode == ("P" if indexed else "L")
    assert np.array_equal(np.asarray(picture), pixels)
    if indexed:
        assert bytes(picture.getpalette() or ()) == PALETTE


@quick
@given(arrays(np.uint16, sizes))
def test_16_bit_comes_back(pixels: "np.ndarray[Any, Any]") -> None:
    data = png.encode(pixels)
    png.check(data)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), pixels)


def test_views_are_written_as_they_look() -> None:
    pixels = np.arange(60, dtype=np.uint8).reshape(6, 10)
    for view in (
        pixels.T,
        pixels[::-1, ::2],
        pixels[1:2, 3:4],
        pixels.astype(np.uint16)[::-1, ::2],
    ):
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(png.encode(view)))), view)


def test_a_transposed_16_bit_array_is_written_as_it_looks() -> None:
    turned = np.arange(60, dtype=np.uint16).reshape(6, 10).T
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(png.encode(turned)))), turned)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
@pytest.mark.parametrize("size", [(1, 1), (13, 9), (300, 200)])
def test_pillows_files_are_whole(mode: str, size: tuple[int, int]) -> None:
    png.check(by_pillow(mode, size))


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_pillows_small_palettes_are_whole(bits: int) -> None:
    png.check(by_pillow("P", bits=bits))


@pytest.mark.parametrize("parts", [1, 2, 7])
def test_image_data_in_several_chunks(parts: int) -> None:
    png.check(handmade(5, 4, b"\0abcde" * 4, parts=parts))


@pytest.mark.parametrize(("width", "height"), [(1024, 1024), (1023, 1025), (1023, 2049)])
def test_flat_files_just_above_a_megabyte_are_whole(width: int, height: int) -> None:
    """The inflater holds output back when its last input and a full piece end together."""
    png.check(handmade(width, height, bytes(width + 1) * height))
    with pytest.raises(ValueError, match="do not fill"):
        png.check(handmade(width, height, bytes(width + 1) * height + b"x"))


def test_interlaced_files_are_measured_by_pass() -> None:
    """3 x 2 pixels: pass 1 has 1, pass 4 has 1 (column 2), pass 6 one (column 1), pass 7 a row of
    3; each with its filter byte.
    """
    whole = b"\0A" + b"\0B" + b"\0C" + b"\0DEF"
    picture = handmade(3, 2, whole, interlaced=1)
    assert np.asarray(Image.open(io.BytesIO(picture))).tobytes() == b"ACBDEF"
    png.check(picture)
    with pytest.raises(ValueError, match="do not fill"):
        png.check(handmade(3, 2, whole[:-1], interlaced=1))


@pytest.mark.parametrize("rows", [b"", b"\0abcde" * 3, b"\0abcde" * 4 + b"x", b"\0abcde" * 4000])
def test_too_few_or_too_many_pixels(rows: bytes) -> None:
    with pytest.raises(ValueError, match="do not fill"):
        png.check(handmade(5, 4, rows))


def test_a_header_of_another_length() -> None:
    with pytest.raises(ValueError, match="12 bytes, not 13"):
        png.check(png.SIGNATURE + chunk(b"IHDR", b"\0" * 12) + chunk(b"IEND", b""))


def test_no_header_is_no_picture() -> None:
    with pytest.raises(ValueError, match="do not fill"):
        png.check(png.SIGNATURE + chunk(b"IDAT", zlib.compress(b"\0a")) + chunk(b"IEND", b""))


WHOLE = by_pillow("RGB")


@quick
@given(st.integers(0, len(WHOLE) - 1))
def test_every_cut_is_found(length: int) -> None:
    with pytest.raises(ValueError, match="before its last chunk"):
        png.check(WHOLE[:length])


@quick
@given(st.integers(len(png.SIGNATURE), len(WHOLE) - 1), st.integers(0, 7))
def test_every_flipped_bit_is_found(at: int, bit: int) -> None:
    data = bytearray(WHOLE)
    data[at] ^= 1 << bit
    with pytest.raises((ValueError, png.InflateError)):
        png.check(bytes(data))


def test_a_stream_that_is_no_deflate() -> None:
    header = struct.pack(">IIBBBBB", 5, 4, 8, 0, 0, 0, 0)
    with pytest.raises(png.InflateError):
        png.check(
            png.SIGNATURE
            + chunk(b"IHDR", header)
            + chunk(b"IDAT", b"no deflate at all")
            + chunk(b"IEND", b"")
        )


def test_chunks_are_listed_up_to_the_end() -> None:
    assert [
        kind
        for kind, _ in png.chunks(png.encode(np.zeros((2, 2), np.uint8), PALETTE) + b"left over")
    ] == [b"IHDR", b"PLTE", b"IDAT", b"IEND"]


def filtered(pixels: np.ndarray, kinds: list[int]) -> bytes:
    """A gray PNG whose rows use the filters *kinds*, by the definitions of the format, byte for
    byte.
    """
    rows, above = [], [0] * pixels.shape[1]
    for kind, row in zip(kinds, pixels.tolist(), strict=True):
        left, coded, corner = 0, [], 0
        for value, up in zip(row, above, strict=True):
            near = min((left, up, corner), key=lambda one, p=left + up - corner: abs(p - one))  # type: ignore[misc]
            coded.append((value - (0, left, up, (left + up) // 2, near)[kind]) & 255)
            left, corner = value, up
        rows.append(bytes([kind, *coded]))
        above = row
    header = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 8, 0, 0, 0, 0)
    return (
        png.SIGNATURE
        + png.chunk(b"IHDR", header)
        + png.chunk(b"IDAT", zlib.compress(b"".join(rows)))
        + png.chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    "kinds",
    [
        [0] * 12,
        [1] * 12,
        [2] * 12,
        [3] * 12,
        [4] * 12,
        [0, 1, 2, 3, 4, 2, 2, 1, 4, 4, 0, 3],
        [4, 2, 2, 1, 0, 0, 0, 0, 0, 0, 0, 2],
    ],
)
@pytest.mark.parametrize("flat", [True, False])
def test_every_filter_is_undone(kinds: list[int], flat: bool) -> None:
    random = np.random.default_rng(len(set(kinds)))
    pixels = random.integers(0, 256, (12, 20), np.uint8)
    if flat:
        pixels[:, :6] = pixels[:4] = pixels[:, 15:] = 0
    data = filtered(pixels, kinds)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), pixels)
    assert np.array_equal(png.decode(data, 1000), pixels)


def test_what_is_no_plain_mask_is_left_to_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = filtered(np.ones((3, 4), np.uint8), [0, 0, 0])
    assert png.decode(plain, 12) is not None
    assert png.decode(plain, 11) is None
    assert all(png.decode(plain[:end], 12) is None for end in range(len(plain)))
    assert all(png.plain_shape(plain[:end], 12) is None for end in range(29))
    assert png.decode(plain.replace(b"\0\0\0\rIHDR", b"\0\0\0\x0eIHDR"), 12) is None
    assert png.decode(plain.replace(b"IDAT", b"IDAX"), 12) is None
    assert all(
        png.decode(by_pillow(mode), 10**6) is None for mode in ("1", "LA", "RGB", "RGBA", "I;16")
    )
    for colors, readable in ((256, True), (257, False)):  # Pillow refuses so many
        table = chunk(b"PLTE", bytes(3 * colors))
        indexed = png.encode(np.ones((3, 4), np.uint8), PALETTE).replace(
            chunk(b"PLTE", PALETTE), table
        )
        assert (png.decode(indexed, 12) is not None) == readable
    monkeypatch.setattr(kernel, "compiled", None)
    too_much = filtered(np.eye(90, dtype=np.uint8), [3] * 90)  # work for Python
    assert png.decode(too_much, 10**6) is None


SMALL_MASKS = """
import hashlib, numpy as np
from segprep.imaging import png
digest = hashlib.sha256()
for seed in range(1500):
    rng = np.random.default_rng(seed)
    size = int(rng.integers(4, 90))
    mask = np.zeros((size, size), np.uint8)
    row, column = rng.integers(0, size, 2)
    mask[row:, column:] = rng.integers(1, 4)
    mask[: rng.integers(0, size), : rng.integers(1, size)] = 2
    digest.update(png.encode(mask))
print(digest.hexdigest())
"""


def test_every_process_writes_the_same_bytes() -> None:
    """ISA-L's one-call compressor writes other bytes in one process of seven."""
    digests = {
        subprocess.run(
            [sys.executable, "-c", SMALL_MASKS], check=True, capture_output=True, text=True
        ).stdout
        for _ in range(16)
    }
    assert len(digests) == 1
