"""A TIFF from top to bottom, a row of strips or tiles at a time: memory is bounded by these.

Each band is written as a small TIFF of its own, which Pillow decodes. Where a picture lies on the
ground (GeoTIFF) is read from the tags.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from segprep.errors import SourceError
from segprep.imaging import big_tiff, resizing, tiff
from segprep.imaging.tiff import Layout
from segprep.types import MAX_PIXELS

_COMPRESSIONS = (1, 5, 8, 32_773, 32_946)  # none, LZW, deflate, PackBits, deflate
_COLOR_MAP, _EXTRA_SAMPLES = 320, 338
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

    data: mmap
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
        """(h, W), (h, W, 3) or (h, W, 4) as ``resizing.decoded`` gives it, from top to bottom.

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
        """Strip or tile *number*, of (rows, columns) pixels; of planes, those of all three."""
        if self.layout.number(tiff.PLANAR, 1) == 1:
            return self._piece(number, (rows, columns), offsets, self.layout)
        gray = {tiff.SAMPLES: (1,), tiff.BITS: (8,), tiff.PHOTOMETRIC: (1,)}
        plane = Layout(self.layout.order, {**self.layout.tags, **gray})
        each = len(self.layout.tags.get(offsets, ())) // 3
        planes = [self._piece(number + n * each, (rows, columns), offsets, plane) for n in range(3)]
        return np.stack(planes, axis=2)

    def _piece(
        self, number: int, shape: tuple[int, int], offsets: int, layout: Layout
    ) -> NDArray[Any]:
        sizes = tiff.TILE_BYTES if offsets == tiff.TILE_OFFSETS else tiff.STRIP_BYTES
        try:
            start = self.layout.tags[offsets][number]
            size = self.layout.tags[sizes][number]
        except (KeyError, IndexError) as error:
            raise SourceError(
                self.path,
                f"cannot be decoded: part {number} of its pixels is missing",
                "restore the file from its origin",
                "image-damaged",
            ) from error
        body = self.data[start : start + size]
        page = tiff.small_page(layout, body, shape, _KEPT)
        return resizing.decoded(page, self.path, max(shape[0] * shape[1], 1))


def opened(file: BinaryIO, path: Path) -> TiffRows | None:
    """The TIFF in *file*, or None for data that are none or cannot be read in bands: several pages,
    planes other than three of 8 bits, other compressions than the lossless ones, turned by its
    orientation, or one strip for all.
    """
    try:
        data = mmap(file.fileno(), 0, access=ACCESS_READ)
    except (ValueError, OSError):
        return None
    layout = big_tiff.only(data) or (None if tiff.several(data) else tiff.first(data))
    if layout is None or layout.special:
        return None
    plain = (
        layout.number(tiff.COMPRESSION, 1) in _COMPRESSIONS
        and (layout.number(tiff.PLANAR, 1) == 1 or _has_planes(layout))
        and layout.number(tiff.ORIENTATION, 1) == 1
        and layout.bits in (8, 16)
        and layout.number(tiff.PHOTOMETRIC) in (1, 2, 3)
    )
    rows = TiffRows(data, path, layout)
    if not plain or not rows.width * rows.height:
        return None
    tall = layout.number(tiff.STRIP_ROWS, rows.height)
    whole = tiff.TILE_OFFSETS not in layout.tags and tall * rows.width > MAX_PIXELS // 4
    return None if whole else rows


def _has_planes(layout: Layout) -> bool:
    """Whether red, green and blue lie apart, 8 bits each."""
    return (layout.samples, layout.bits, layout.number(tiff.PHOTOMETRIC)) == (3, 8, 2)


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
        with mmap(file.fileno(), 0, access=ACCESS_READ) as data:
            return georeference(data)
    except (ValueError, OSError):
        return None


def georeference(data: mmap | bytes) -> Georeference | None:
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
