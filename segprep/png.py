"""PNG as bytes: write indexed, grey and 16-bit masks; check a file's own checksums and amount of data.

Format: https://www.w3.org/TR/png-3/. Rows are written with filter 0 and ISA-L's fast deflate, because masks are
flat and Pillow's encoder takes ten times as long for them.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import Any, cast

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

InflateError = cast("type[Exception]", isal_zlib.error)
SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(body, zlib.crc32(kind)))


def encode(pixels: NDArray[Any], palette: bytes | None = None) -> bytes:
    """A PNG of *pixels* (H, W), uint8 or uint16; with *palette* (768 bytes, uint8 only) an indexed one, else grey."""
    height, width = pixels.shape
    depth = pixels.dtype.itemsize
    rows = np.zeros((height, 1 + width * depth), np.uint8)
    rows[:, 1:] = pixels if depth == 1 else pixels.astype(">u2").view(np.uint8).reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8 * depth, 3 if palette else 0, 0, 0, 0)
    table = _chunk(b"PLTE", palette) if palette else b""
    body = isal_zlib.compress(rows.data, 1)
    return SIGNATURE + _chunk(b"IHDR", header) + table + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """The chunks of a PNG up to IEND. Raises ValueError at a wrong checksum or where the data end early."""
    view, at = memoryview(data), len(SIGNATURE)
    while at + 12 <= len(data):
        (size,) = struct.unpack_from(">I", data, at)
        kind, end = data[at + 4 : at + 8], at + 8 + size
        if end + 4 > len(data):
            break
        if zlib.crc32(view[at + 4 : end]) != struct.unpack_from(">I", data, end)[0]:
            raise ValueError(f"checksum of chunk {kind!r} is wrong")
        yield kind, view[at + 8 : end]
        if kind == b"IEND":
            return
        at = end + 4
    raise ValueError("the file ends before its last chunk")


def check(data: bytes) -> None:
    """Raise ValueError unless all checksums hold and the image data fill exactly the size that the header states."""
    needed = got = -1
    inflate = isal_zlib.decompressobj()
    for kind, body in chunks(data):
        if kind == b"IHDR":
            needed, got = _raw_size(body), 0
        elif kind == b"IDAT" and got >= 0:
            rest: Any = body
            while rest and got <= needed and not inflate.eof:
                got += len(inflate.decompress(rest, 1 << 20))
                rest = inflate.unconsumed_tail
    if got != needed or needed < 0:
        raise ValueError("the image data do not fill the size in the header")


def _raw_size(header: memoryview) -> int:
    if len(header) != 13:
        raise ValueError(f"the header has {len(header)} bytes, not 13")
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    bits = depth * _CHANNELS.get(colour, 0)
    parts = [(-(-(width - x) // dx), -(-(height - y) // dy)) for x, y, dx, dy in _ADAM7] if interlaced else [(width, height)]
    return sum(rows * (1 + (columns * bits + 7) // 8) for columns, rows in parts if columns > 0 and rows > 0)
