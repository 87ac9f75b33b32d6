"""PNG as bytes: write indexed, gray and 16-bit masks; check a file's own checksums and amount of
data.

Format: https://www.w3.org/TR/png-3/. Rows are written with filter 0 and ISA-L's fast deflate,
because masks are flat and Pillow's encoder takes ten times as long for them.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import Any, cast

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from segprep import kernel
from segprep.imaging import flat_stream
from segprep.imaging.png_filters import unfiltered

InflateError = cast("type[Exception]", isal_zlib.error)
SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PIECE = 1 << 20
_METADATA = frozenset((b"eXIf", b"tEXt", b"zTXt", b"iTXt"))
_SEVERAL = (b"\2", b"\4", b"\6")  # kinds of color
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_ADAM7 = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk of this *kind* with its length and checksum."""
    return (
        struct.pack(">I", len(body))
        + kind
        + body
        + struct.pack(">I", zlib.crc32(body, zlib.crc32(kind)))
    )


END = chunk(b"IEND", b"")


def encode(pixels: NDArray[Any], palette: bytes | None = None) -> bytes:
    """A PNG of *pixels*, uint8 or uint16: (H, W) gray, or indexed with *palette* (768 bytes, uint8
    only); (H, W, C) gray and alpha, RGB or RGBA for C = 2, 3, 4.
    """
    height, width = pixels.shape[:2]
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    depth = pixels.dtype.itemsize
    rows = np.zeros((height, 1 + width * channels * depth), np.uint8)
    rows[:, 1:] = (
        pixels.reshape(height, -1)
        if depth == 1
        else np.ascontiguousarray(pixels, ">u2").view(np.uint8).reshape(height, -1)
    )
    kind = 3 if palette else {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    header = struct.pack(">IIBBBBB", width, height, 8 * depth, kind, 0, 0, 0)
    table = chunk(b"PLTE", palette) if palette else b""
    deflate = isal_zlib.compressobj(1)  # compress() depends on what lies in memory before the call
    body = deflate.compress(rows.data) + deflate.flush()
    return SIGNATURE + chunk(b"IHDR", header) + table + chunk(b"IDAT", body) + END


def encode_mask(mask: NDArray[np.uint8], palette: bytes | None, values: Iterable[int]) -> bytes:
    """A PNG of *mask* (H, W), gray or indexed with *palette* (768 bytes), in which these *values*
    occur: as :func:`flat_stream.stream` writes it if it is large and flat, else as :func:`encode`.
    """
    body = flat_stream.stream(mask, values)
    if body is None:
        return encode(mask, palette)
    header = struct.pack(">IIBBBBB", *mask.shape[::-1], 8, 3 if palette else 0, 0, 0, 0)
    table = chunk(b"PLTE", palette) if palette else b""
    return SIGNATURE + chunk(b"IHDR", header) + table + chunk(b"IDAT", body) + END


def chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """The chunks of a PNG up to IEND.

    Raises ValueError at a wrong checksum or where the data end early.
    """
    view, at = memoryview(data), len(SIGNATURE)
    while at + 12 <= len(data):
        kind, end = data[at + 4 : at + 8], at + 8 + int.from_bytes(data[at : at + 4])
        if end + 4 > len(data):
            break
        if zlib.crc32(view[at + 4 : end]) != int.from_bytes(data[end : end + 4]):
            raise ValueError(f"checksum of chunk {kind!r} is wrong")
        yield kind, view[at + 8 : end]
        if kind == b"IEND":
            return
        at = end + 4
    raise ValueError("the file ends before its last chunk")


def verify(data: bytes) -> None:
    """Raise ValueError at a wrong checksum, or where the data end within a chunk; a file that lacks
    only its last chunk passes.
    """
    whole = len(SIGNATURE)
    try:
        for _, body in chunks(data):
            whole += 12 + len(body)
    except ValueError as error:
        if "before its last chunk" not in str(error) or len(data) - whole >= 12:
            raise


def is_one_channel(data: bytes) -> bool:
    """Whether the data are a PNG of gray levels or of palette indices."""
    return data.startswith(SIGNATURE) and data[25:26] in (b"\0", b"\3")


def is_deep(data: bytes) -> bool:
    """Whether the data are a PNG of 16 bits in each of several channels."""
    return data.startswith(SIGNATURE) and data[24:25] == b"\x10" and data[25:26] in _SEVERAL


def has_metadata_after_pixels(data: bytes) -> bool:
    """Whether a chunk that may hold EXIF data follows the first IDAT chunk; checksums are not
    looked at.
    """
    kinds = _kinds(data)
    return b"IDAT" in kinds and not _METADATA.isdisjoint(kinds)


def is_animated(data: bytes) -> bool:
    """Whether the chunk of an animation stands before the pixels of a PNG; checksums are not looked
    at.
    """
    return b"acTL" in takewhile(lambda kind: kind != b"IDAT", _kinds(data))


def _kinds(data: bytes) -> Iterator[bytes]:
    at = len(SIGNATURE)
    while at + 8 <= len(data):
        yield data[at + 4 : at + 8]
        at += 12 + int.from_bytes(data[at : at + 4])


def pass_sizes(width: int, height: int, interlaced: int) -> list[tuple[int, int]]:
    """(columns, rows) of each pass that has pixels: one, or Adam7's up to seven."""
    if not interlaced:
        return [(width, height)]
    sizes = [(-(-(width - x) // dx), -(-(height - y) // dy)) for x, y, dx, dy in _ADAM7]
    return [(columns, rows) for columns, rows in sizes if columns > 0 and rows > 0]


def check(data: bytes) -> None:
    """Raise ValueError unless all checksums hold and the image data fill exactly the size that the
    header states.
    """
    needed = got = -1
    inflate = isal_zlib.decompressobj()
    for kind, body in chunks(data):
        if kind == b"IHDR":
            needed, got = _raw_size(body), 0
        elif kind == b"IDAT" and got >= 0:
            rest: Any = body
            pending = False  # a full piece may leave output behind although no input is left
            while (rest or pending) and got <= needed and not inflate.eof:
                piece = len(inflate.decompress(rest, _PIECE))
                got, rest, pending = got + piece, inflate.unconsumed_tail, piece == _PIECE
    if got != needed or needed < 0:
        raise ValueError("the image data do not fill the size in the header")


def palette(data: bytes) -> bytes:
    """The colors (RGB) of an indexed PNG whose chunks are whole; b"" where it has none."""
    return next((bytes(body) for kind, body in chunks(data) if kind == b"PLTE"), b"")


def plain_shape(data: bytes, limit: int) -> tuple[int, int] | None:
    """(H, W) that the header of a PNG of 8-bit gray levels or indices, not interlaced, states;
    None for every other file, and above *limit* pixels.
    """
    if len(data) < 29 or not is_one_channel(data) or data[8:16] != b"\0\0\0\rIHDR":
        return None
    width, height, depth, _, *method = struct.unpack_from(">IIBBBBB", data, 16)
    fits = depth == 8 and not any(method) and 0 < width * height <= limit
    return (height, width) if fits else None


def decode(data: bytes, limit: int) -> NDArray[np.uint8] | None:
    """The pixels (H, W) of a plain PNG mask: 8-bit gray or indices, not interlaced, at most *limit*
    pixels, whole, not animated, of at most 256 colors, and with right checksums.

    None for everything else, which Pillow reads or refuses. Three times as fast as Pillow for flat
    masks. The checksums of all chunks are verified; that of the stream, which covers the same
    bytes, is not.
    """
    rows = filtered_rows(data, limit)
    return None if rows is None else unfiltered(rows)


def mask(data: bytes, limit: int) -> tuple[NDArray[np.uint8], bytes] | None:
    """What :func:`decode` gives, and the palette, of gray levels b""; None also where the file has
    other chunks than pixels need.
    """
    pixels = decode(data, limit)
    if pixels is None:
        return None
    indexed, kinds = data[25] == 3, list(_kinds(data))
    head = [b"IHDR", b"PLTE"] if indexed else [b"IHDR"]
    if kinds != [*head, *[b"IDAT"] * (len(kinds) - len(head) - 1), b"IEND"]:
        return None
    colors = data[41 : 41 + int.from_bytes(data[33:37])] if indexed else b""  # behind the header
    return (pixels, colors) if bool(colors) == indexed else None


def filtered_rows(data: bytes, limit: int) -> NDArray[np.uint8] | None:
    """The rows (H, 1 + W) of a file that :func:`decode` reads, each led by its filter's number;
    None of others.
    """
    stream = deflated(data, limit)
    if stream is None:
        return None
    height, width, body = stream
    return inflated_rows(body, height, width)


def inflated_rows(stream: memoryview, height: int, width: int) -> NDArray[np.uint8] | None:
    """The rows (*height*, 1 + *width*) that a raw deflate *stream* fills, no more and no less; None
    of others.
    """
    rows = _inflated(stream, height * (width + 1))
    return None if rows is None else rows.reshape(height, width + 1)


def deflated(data: bytes, limit: int) -> tuple[int, int, memoryview] | None:
    """Height, width and the raw deflate stream of a file that :func:`decode` reads if the stream
    fills its rows; None of others.
    """
    shape = plain_shape(data, limit)
    if shape is None:
        return None
    if (stream := _only_stream(data)) is not None:
        return *shape, stream
    try:
        parts = list(chunks(data))
    except ValueError:
        return None
    if any(kind == b"acTL" or (kind == b"PLTE" and len(body) > 768) for kind, body in parts):
        return None
    bodies = [body for kind, body in parts if kind == b"IDAT"]
    stream = bodies[0] if len(bodies) == 1 else memoryview(b"".join(bodies))
    if len(stream) < 6 or stream[0] & 15 != 8 or stream[1] & 32:
        return None
    return *shape, stream[2:-4]


def _only_stream(data: bytes) -> memoryview | None:
    """The raw deflate stream of a PNG that has one IDAT chunk and none that are optional, with
    right checksums, as most masks are; None of all others.
    """
    end = 41 + int.from_bytes(data[33:37])
    if data[37:41] != b"IDAT" or len(data) != end + 16 or not data.endswith(END) or end < 47:
        return None
    view, checksums = memoryview(data), (data[29:33], data[end : end + 4])
    if checksums != (_checksum(view[12:29]), _checksum(view[37:end])):
        return None
    return view[43 : end - 4] if data[41] & 15 == 8 and not data[42] & 32 else None


def _checksum(content: memoryview) -> bytes:
    return zlib.crc32(content).to_bytes(4)


def _inflated(stream: memoryview, needed: int) -> NDArray[np.uint8] | None:
    """The *needed* bytes (N,) of a raw deflate *stream*; None where they are fewer or more, or it
    ends before or behind the end of *stream*.
    """
    if kernel.compiled is not None:
        rows = np.empty(needed, np.uint8)
        if kernel.compiled.inflate(stream, rows) == len(stream):
            return rows
    inflate = isal_zlib.decompressobj(-15)
    try:
        raw = inflate.decompress(stream, needed + 1)
    except InflateError:
        return None
    whole = len(raw) == needed and inflate.eof and not inflate.unused_data
    return np.frombuffer(raw, np.uint8) if whole else None


def _raw_size(header: memoryview) -> int:
    if len(header) != 13:
        raise ValueError(f"the header has {len(header)} bytes, not 13")
    width, height, depth, color, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    bits = depth * _CHANNELS.get(color, 0)
    sizes = pass_sizes(width, height, interlaced)
    return sum(rows * (1 + (columns * bits + 7) // 8) for columns, rows in sizes)
