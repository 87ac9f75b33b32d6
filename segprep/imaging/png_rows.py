"""A PNG from top to bottom, a band of rows at a time: memory is bounded by the band.

The stream is inflated as far as needed. To undo the filters fast, the rows of a band are written
as a small PNG of their own, led by the last row of the band before, and Pillow decodes that.
"""

import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from segprep.errors import SourceError
from segprep.imaging import image, png, png_parts

_BAND = 8 << 20  # bytes of pixels
_BLOCK = 1 << 20  # bytes of the file
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_KINDS = {1: 0, 2: 4, 3: 2, 4: 6}  # bytes per pixel -> color type of 8 bits
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")


class Handle:
    """A file of its own for one reader, closed with the last one who knows it."""

    def __init__(self, file: BinaryIO) -> None:
        self._number = os.dup(file.fileno())

    def __del__(self) -> None:
        os.close(self._number)

    def read(self, at: int, count: int) -> bytes:
        """*count* bytes from offset *at*, fewer at the end."""
        os.lseek(self._number, at, os.SEEK_SET)
        return os.read(self._number, count)


@dataclass(frozen=True, slots=True)
class PngRows:
    """The PNG in *file*, whose first IDAT chunk begins at *start*; *palette* (256, 3) of an indexed
    one.
    """

    file: Handle
    path: Path
    width: int
    height: int
    depth: int
    kind: int
    start: int
    palette: NDArray[np.uint8]

    @property
    def holds_labels(self) -> bool:
        """Whether pixel values are whole numbers as they are stored: 8-bit gray, or indices."""
        return self.kind == 3 or (self.kind == 0 and self.depth == 8)

    def bands(self, *, labels: bool = False) -> Iterator[NDArray[Any]]:
        """(h, W) or (h, W, 3 or 4) of uint8 or uint16, from top to bottom: pixels as
        ``resizing.decoded`` gives them but with all 16 bits, or with *labels* the stored values.

        Raises SourceError.
        """
        size = -(-self.width * _CHANNELS[self.kind] * self.depth // 8)
        count = max(1, _BAND // size)
        stream, above = self._stream(), b"\0" * size
        for top in range(0, self.height, count):
            rows = min(count, self.height - top)
            try:
                lines = self._taken(stream, rows * (1 + size))
            except png.InflateError as error:
                raise self._damaged(str(error)) from error
            raw = self._unfiltered(b"\0" + above + lines, rows + 1, size)[1:]
            above = raw[-1].tobytes()
            yield self._values(raw) if labels else self._pixels(raw)

    def _taken(self, stream: "_Inflated", needed: int) -> bytes:
        data = stream.read(needed)
        if len(data) < needed:
            raise self._damaged("the image data end early")
        return data

    def _damaged(self, reason: str) -> SourceError:
        return SourceError(
            self.path,
            f"cannot be decoded: {reason}",
            "restore the file from its origin",
            "image-damaged",
        )

    def _stream(self) -> "_Inflated":
        return _Inflated(self)

    def bodies(self) -> Iterator[bytes]:
        """The compressed image data in blocks. Raises SourceError at a wrong checksum."""
        at = self.start
        while (head := self.file.read(at, 8))[4:] == b"IDAT":
            (size,) = struct.unpack(">I", head[:4])
            checksum, here, end = zlib.crc32(b"IDAT"), at + 8, at + 8 + size
            while here < end:
                block = self.file.read(here, min(end - here, _BLOCK))
                if not block:
                    return
                here += len(block)
                checksum = zlib.crc32(block, checksum)
                yield block
            if struct.pack(">I", checksum) != self.file.read(end, 4):
                raise self._damaged("checksum of chunk b'IDAT' is wrong")
            at = end + 4

    def _unfiltered(self, lines: bytes, rows: int, size: int) -> NDArray[np.uint8]:
        """(rows, size) bytes of filtered *lines*."""
        step = max(1, _CHANNELS[self.kind] * self.depth // 8)
        if step in _KINDS:
            return self._decoded(lines, rows, size // step, _KINDS[step])
        both = np.frombuffer(lines, np.uint8).reshape(rows, 1 + size)
        result = np.empty((rows, size), np.uint8)
        for half in (0, 1):  # of 16 bits: filters work on bytes at the same distance
            part = np.concatenate([both[:, :1], both[:, 1 + half :: 2]], axis=1).tobytes()
            result[:, half::2] = self._decoded(part, rows, size // step, _KINDS[step // 2])
        return result

    def _decoded(self, lines: bytes, rows: int, width: int, kind: int) -> NDArray[np.uint8]:
        data = png_parts.with_rows(lines, width, rows, kind, 0)
        with image.opened(data, self.path, rows * width) as picture:
            return np.asarray(picture).reshape(rows, -1)

    def _values(self, raw: NDArray[np.uint8]) -> NDArray[Any]:
        """(h, W, C) or (h, W) of stored numbers."""
        rows, channels = len(raw), _CHANNELS[self.kind]
        if self.depth == 16:
            values: NDArray[Any] = raw.view(">u2").astype(np.uint16)
        elif self.depth == 8:
            values = raw
        else:
            bits = np.unpackbits(raw, axis=1).reshape(rows, -1, self.depth)
            weights = 1 << np.arange(self.depth - 1, -1, -1)
            values = (bits * weights).sum(axis=2).astype(np.uint8)[:, : self.width]
        return values if channels == 1 else values.reshape(rows, self.width, channels)

    def _pixels(self, raw: NDArray[np.uint8]) -> NDArray[Any]:
        values = self._values(raw)
        if self.kind == 3:
            colors: NDArray[Any] = self.palette[values]
            return colors
        if self.kind == 4:
            gray = values[..., 0]
            return gray if self.depth == 16 else np.repeat(gray[..., None], 3, axis=2)
        if self.depth < 8:
            return (values * (255 // ((1 << self.depth) - 1))).astype(np.uint8)
        return values


class _Inflated:
    """The inflated stream of a PNG, as much as is asked for."""

    def __init__(self, rows: PngRows) -> None:
        self._bodies, self._rest = rows.bodies(), b""
        self._inflate = isal_zlib.decompressobj()

    def read(self, count: int) -> bytes:
        """*count* bytes, or fewer at the end."""
        parts, left = list[bytes](), count
        while left:
            part = self._inflate.decompress(self._rest, left)
            self._rest = self._inflate.unconsumed_tail
            if part:
                parts.append(part)
                left -= len(part)
            elif not self._rest:
                block = next(self._bodies, None)
                if block is None:
                    break
                self._rest = block
        return b"".join(parts)


def opened(file: BinaryIO, path: Path) -> PngRows | None:
    """The PNG in *file* (opened for reading), or None for data that are none or cannot be read in
    bands: interlaced, animated, or turned by EXIF metadata.
    """
    handle = Handle(file)
    if handle.read(0, 8) != png.SIGNATURE:
        return None
    header, palette, start, at = b"", np.zeros((256, 3), np.uint8), 0, 8
    while len(head := handle.read(at, 8)) == 8 and head[4:] != b"IEND":
        (size,) = struct.unpack(">I", head[:4])
        kind, body = head[4:], at + 8
        if kind == b"IHDR":
            header = handle.read(body, 13)
        elif kind == b"PLTE" and size <= 768:
            colors = np.frombuffer(handle.read(body, size), np.uint8)
            number = len(colors) // 3  # less than *size* says where the file ends
            palette[:number] = colors[: 3 * number].reshape(-1, 3)
        elif kind == b"IDAT":
            start = start or at
        elif kind in (b"eXIf", b"acTL") or (kind in _TEXTS and _turns(handle.read(body, size))):
            return None
        at = body + size + 4
    if len(header) != 13 or not start:
        return None
    width, height, depth, color, *method = struct.unpack(">IIBBBBB", header)
    if any(method) or color not in _CHANNELS or depth not in (1, 2, 4, 8, 16) or not width * height:
        return None
    return PngRows(handle, path, width, height, depth, color, start, palette)


def _turns(text: bytes) -> bool:
    """Whether a text chunk may hold an EXIF orientation."""
    return b"xif" in text or b"rientation" in text
