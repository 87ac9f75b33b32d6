"""A georeference in words, and which value of a GeoTIFF means that there are no data.

Format: OGC GeoTIFF 1.1, https://docs.ogc.org/is/19-008r4/19-008r4.html, and GDAL's tag 42113.
"""

import re
import struct

from segprep.imaging import tiff_rows
from segprep.imaging.tiff_rows import Georeference
from segprep.types import Note

CODE = "georeferenced"
_NODATA, _ASCII, _LONGEST = 42_113, 2, 64
_NUMBER = r"(-?[\d.]+(?:e[-+]?\d+)?)"
_TEXT = re.compile(r"EPSG:(\d+), matrix " + " ".join([_NUMBER] * 6))


def read(data: bytes) -> Georeference | None:
    """The georeference of a TIFF's first page; None where it has none, or a flat one."""
    reference = tiff_rows.georeference(data) if data[:2] in (b"II", b"MM") else None
    if reference is None:
        return None
    a, b, _, d, e, _ = reference.transform
    return reference if a * e - b * d else None


def pixel(reference: Georeference, x: float, y: float) -> tuple[float, float]:
    """Column and row, from the corner of the first pixel, of the place (*x*, *y*)."""
    a, b, c, d, e, f = reference.transform
    det = a * e - b * d
    return (e * (x - c) - b * (y - f)) / det, (a * (y - f) - d * (x - c)) / det


def note(reference: Georeference) -> Note:
    """What the record of a sample keeps of *reference*."""
    return Note(
        CODE, f"EPSG:{reference.epsg or 0}, matrix {' '.join(map(repr, reference.transform))}"
    )


def of_note(said: Note) -> Georeference | None:
    """What :func:`note` wrote; None for other notes."""
    match = _TEXT.fullmatch(said.message) if said.code == CODE else None
    if match is None:
        return None
    numbers = [float(number) for number in match.groups()[1:]]
    return Georeference.of(numbers, int(match[1]) or None)


def nodata(data: bytes) -> float | None:
    """The value that means no data, as GDAL writes it; None where none is stated. NaN is one."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
    if order is None:
        return None
    try:
        (at,) = struct.unpack_from(f"{order}I", data, 4)
        (count,) = struct.unpack_from(f"{order}H", data, at)
        for entry in range(at + 2, at + 2 + 12 * count, 12):
            tag, kind, size, pointer = struct.unpack_from(f"{order}HHII", data, entry)
            if (tag, kind) == (_NODATA, _ASCII) and size <= _LONGEST:
                start = entry + 8 if size <= 4 else pointer
                text = data[start : start + size].split(b"\0")[0]
                return float(text) if text.strip() else None
    except (struct.error, ValueError):
        pass  # a damaged file is told where its pixels are read
    return None
