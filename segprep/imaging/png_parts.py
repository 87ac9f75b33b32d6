"""PNGs put together of what is there already: bands of a mask, filtered rows, the chunks of another
file.
"""

import struct
import zlib
from collections.abc import Iterable

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from segprep.imaging.png import END, SIGNATURE, chunk, chunks


def encode_bands(
    bands: Iterable[NDArray[np.uint8]], shape: tuple[int, int], palette: bytes
) -> bytes:
    """An indexed PNG of a mask of *shape* (H, W) that comes as *bands* (h, W) from top to bottom;
    no more than one of them is held.
    """
    height, width = shape
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    deflate, parts = isal_zlib.compressobj(1), list[bytes]()
    for band in bands:
        rows = np.zeros((len(band), 1 + width), np.uint8)
        rows[:, 1:] = band
        parts.append(deflate.compress(rows.data))
    parts.append(deflate.flush())
    table, body = chunk(b"PLTE", palette), chunk(b"IDAT", b"".join(parts))
    return SIGNATURE + chunk(b"IHDR", header) + table + body + END


def with_rows(rows: bytes, width: int, height: int, kind: int, interlaced: int) -> bytes:
    """An 8-bit PNG of color type *kind* whose filtered scanlines are *rows*."""
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, interlaced)
    body = zlib.compress(rows, 0)
    return SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", body) + END


def recolored(data: bytes, palette: bytes | None) -> bytes:
    """A plain PNG mask, as :func:`segprep.imaging.png.plain_shape` knows it, with *palette* (768
    bytes) instead of its own, or as gray levels: the same values, none of which is decoded. Raises
    ValueError for damaged chunks.
    """
    head, *rest = chunks(data)
    header = bytes(head[1][:9]) + (b"\3" if palette else b"\0") + bytes(head[1][10:])
    table = chunk(b"PLTE", palette) if palette else b""
    body = b"".join(chunk(kind, bytes(part)) for kind, part in rest if kind == b"IDAT")
    return SIGNATURE + chunk(b"IHDR", header) + table + body + END
