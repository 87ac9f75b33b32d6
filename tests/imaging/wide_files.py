"""Pictures of 16 bits per channel, and TIFF files of them."""

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

from segprep.imaging import png

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
