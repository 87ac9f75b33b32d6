"""A TIFF from top to bottom, a row of strips or tiles at a time: memory is bounded by these.

Each band is written as a small TIFF of its own, or a JPEG, which Pillow decodes; 16 bits per
channel stay 16. Where a picture lies on the ground (GeoTIFF) is read from the tags.
"""

import mmap
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from segprep.errors import SourceError
from segprep.imaging import big_tiff, resizing, sixteen_bits, tiff
from segprep.imaging.tiff import Layout
from segprep.types import MAX_PIXELS

_COMPRESSIONS = (1, 5, 8, 32_773, 32_946)  # none, LZW, deflate, PackBits, deflate
_JPEG, _YCBCR = 7, 6  # a compression, a photometric interpretation
_COLOR_MAP, _EXTRA_SAMPLES, _JPEG_TABLES = 320, 338, 347
_KEPT = (
    tiff.BITS,
    tiff.COMPRESSION,
    tiff.PHOTOMETRIC,
    tiff.SAMPLES,
    tiff.PREDICTOR,
    _EXTRA_SAMPLES,
    tiff.SAMPLE_FORMAT,
    _COLOR_MAP,
)


@dataclass(frozen=True, slots=True)
class TiffRows:
    """The only picture, *layout*, of the TIFF or BigTIFF *data* (a mapped file)."""

    data: mmap.mmap
    path: Path
    layout: Layout

    @property
    def width(self) -> int:
        """Pixels of a row."""
        return self.layout.number(tiff.WIDTH)

    @property
    def height(self) -> int:
        """Rows."""
        return self.layout.number(tiff.HEIGHT)

    def bands(self, *, labels: bool = False) -> Iterator[NDArray[Any]]:
        """(h, W), (h, W, 3) or (h, W, 4) of uint8 or uint16, from top to bottom.

        Raises SourceError.
        """
        tiled = tiff.TILE_OFFSETS in self.layout.tags
        yield from self._tiles() if tiled else self._strips()

    def _strips(self) -> Iterator[NDArray[Any]]:
        rows = min(self.layout.number(tiff.STRIP_ROWS, self.height), self.height)
        for number, top in enumerate(range(0, self.height, rows)):
            yield self._part(number, min(rows, self.height - top), self.width, tiff.STRIP_OFFSETS)

    def _tiles(self) -> Iterator[NDArray[Any]]:
        wide, high = self.layout.number(tiff.TILE_WIDTH), self.layout.number(tiff.TILE_HEIGHT)
        across = -(-self.width // wide)
        for number, top in enumerate(range(0, self.height, high)):
            parts = [
                self._part(number * across + column, high, wide, tiff.TILE_OFFSETS)
                for column in range(across)
            ]
            band = np.concatenate(parts, axis=1)
            yield band[: self.height - top, : self.width]

    def _part(self, number: int, rows: int, columns: int, offsets: int) -> NDArray[Any]:
        """Strip or tile *number*, of (rows, columns) pixels; of planes, those of all of them."""
        if self.layout.number(tiff.PLANAR, 1) == 1:
            return self._piece(number, (rows, columns), offsets, self.layout)
        gray = {tiff.SAMPLES: (1,), tiff.BITS: (self.layout.bits,), tiff.PHOTOMETRIC: (1,)}
        tags = {tag: value for tag, value in self.layout.tags.items() if tag != _EXTRA_SAMPLES}
        plane = Layout(self.layout.order, {**tags, **gray})
        count = self.layout.samples
        each = len(self.layout.tags.get(offsets, ())) // count
        return np.stack(
            [self._piece(number + n * each, (rows, columns), offsets, plane) for n in range(count)],
            axis=2,
        )

    def _piece(
        self, number: int, shape: tuple[int, int], offsets: int, layout: Layout
    ) -> NDArray[Any]:
        sizes = tiff.TILE_BYTES if offsets == tiff.TILE_OFFSETS else tiff.STRIP_BYTES
        try:
            start = self.layout.tags[offsets][number]
            size = self.layout.tags[sizes][number]
        except (KeyError, IndexError) as error:
            raise self._damaged(f"part {number} of its pixels is missing") from error
        body = self.data[start : start + size]
        self._forget(start)
        if layout.number(tiff.COMPRESSION, 1) == _JPEG:
            return self._of_jpeg(number, body, shape)
        page = tiff.small_page(layout, body, shape, _KEPT)
        limit = max(shape[0] * shape[1], 1)
        deep = sixteen_bits.read(page, self.path, limit)
        if deep is None:
            return resizing.decoded(page, self.path, limit)
        return deep[..., 0] if deep.shape[2] == 1 else deep

    def _of_jpeg(self, number: int, body: bytes, shape: tuple[int, int]) -> NDArray[Any]:
        """The *shape* (rows, columns) of a part that is a JPEG, whose tables lie apart."""
        mark = b""
        if self.layout.samples == 3:  # Adobe's, whose last byte says whether it is YCbCr
            is_converted = self.layout.number(tiff.PHOTOMETRIC) == _YCBCR
            mark = b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0" + bytes([is_converted])
        tables = tiff.raw(self.data, _JPEG_TABLES)[2:-2]
        rows = max(shape[0], self.layout.number(tiff.STRIP_ROWS))  # the last may be padded
        picture = b"\xff\xd8" + mark + tables + body[2:]
        pixels = resizing.decoded(picture, self.path, rows * shape[1])[: shape[0], : shape[1]]
        if pixels.shape[:2] != shape:
            raise self._damaged(f"part {number} of its pixels has another size")
        return pixels

    def _forget(self, start: int) -> None:
        """Let the system take back the memory of what was read of the file up to *start*."""
        if sys.platform == "linux" and (length := start - start % mmap.PAGESIZE):
            self.data.madvise(mmap.MADV_DONTNEED, 0, min(length, len(self.data)))

    def _damaged(self, what: str) -> SourceError:
        return SourceError(
            self.path,
            f"cannot be decoded: {what}",
            "restore the file from its origin",
            "image-damaged",
        )


def opened(file: BinaryIO, path: Path) -> TiffRows | None:
    """The TIFF in *file*, or None for data that are none or cannot be read in bands: several pages,
    channels that are no gray, RGB or RGBA of 8 or 16 bits, JPEG in planes, turned by its
    orientation, or one strip for all.
    """
    try:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (ValueError, OSError):
        return None
    layout = big_tiff.only(data) or (None if tiff.several(data) else tiff.first(data))
    if layout is None or layout.signed or layout.number(tiff.ORIENTATION, 1) != 1:
        return None
    rows = TiffRows(data, path, layout)
    if not (_is_jpeg(layout) or _is_plain(layout)) or not rows.width * rows.height:
        return None
    tall = layout.number(tiff.STRIP_ROWS, rows.height)
    whole = tiff.TILE_OFFSETS not in layout.tags and tall * rows.width > MAX_PIXELS // 4
    return None if whole else rows


def _is_plain(layout: Layout) -> bool:
    """Whether it holds gray, RGB or RGBA of 8 or 16 bits or a palette, compressed without loss."""
    kind, samples = layout.number(tiff.PHOTOMETRIC), layout.samples
    if layout.number(tiff.COMPRESSION, 1) not in _COMPRESSIONS or layout.bits not in (8, 16):
        return False
    if layout.number(tiff.PLANAR, 1) == 2 or layout.special:
        return kind == 2 and samples in (3, 4)
    return kind in (1, 2, 3)


def _is_jpeg(layout: Layout) -> bool:
    """Whether its parts are JPEG of gray, RGB or YCbCr."""
    kinds = {(1, 1), (3, 2), (3, _YCBCR)}
    return (layout.number(tiff.COMPRESSION), layout.bits, layout.number(tiff.PLANAR, 1)) == (
        _JPEG,
        8,
        1,
    ) and (layout.samples, layout.number(tiff.PHOTOMETRIC)) in kinds


@dataclass(frozen=True, slots=True)
class Georeference:
    """Where a picture lies on the ground: x = a·column + b·row + c, y = d·column + e·row + f for
    the upper left corner of a pixel, as *transform* (a, b, c, d, e, f); *epsg* names the coordinate
    system, where the file does.
    """

    transform: tuple[float, float, float, float, float, float]
    epsg: int | None

    @classmethod
    def of(cls, numbers: Sequence[float], epsg: int | None) -> "Georeference":
        """From a list of six numbers. Raises ValueError."""
        a, b, c, d, e, f = map(float, numbers)
        return cls((a, b, c, d, e, f), None if epsg is None else int(epsg))


def georeferenced(file: BinaryIO) -> Georeference | None:
    """The georeference of the GeoTIFF in *file*; None where it is none."""
    try:
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return georeference(data)
    except (ValueError, OSError):
        return None


def georeference(data: mmap.mmap | bytes) -> Georeference | None:
    """The georeference of a GeoTIFF; None where the data are none."""
    tags = tiff.doubles(data, (33_550, 33_922, 34_264))
    if matrix := tags.get(34_264):
        a, b, _, c, d, e, _, f = matrix[:8]
    elif (scale := tags.get(33_550)) and (tie := tags.get(33_922)):
        a, b, c = scale[0], 0.0, tie[3] - tie[0] * scale[0]
        d, e, f = 0.0, -scale[1], tie[4] + tie[1] * scale[1]
    else:
        return None
    keys = tiff.shorts(data, 34_735)
    named = {keys[n]: keys[n + 3] for n in range(4, len(keys) - 3, 4) if keys[n + 1] == 0}
    if named.get(1025) == 2:  # pixel is point: coordinates are those of centers
        c, f = c - (a + b) / 2, f - (d + e) / 2
    epsg = named.get(3072) or named.get(2048)
    return Georeference((a, b, c, d, e, f), epsg if epsg and epsg < 32_767 else None)
