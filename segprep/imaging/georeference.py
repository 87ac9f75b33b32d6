"""Where a GeoTIFF lies on the ground, and which value in it means that there are no data.

Format: OGC GeoTIFF 1.1, https://docs.ogc.org/is/19-008r4/19-008r4.html (requirements 7.2 and 7.3),
and GDAL's tag 42113. Classic TIFF only.
"""

import re
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from segprep.types import Note

CODE = "georeferenced"
_SCALE, _TIEPOINTS, _TRANSFORMATION, _KEYS, _NODATA = 33_550, 33_922, 34_264, 34_735, 42_113
_KINDS = {2: "s", 3: "H", 12: "d"}
_RASTER_TYPE, _GEOGRAPHIC, _PROJECTED = 1025, 2048, 3072
_POINT = 2  # the raster type in which a tie point is the center of a pixel
_USER_DEFINED = 32_767
_NUMBER = r"(-?[\d.]+(?:e[-+]?\d+)?)"
_TEXT = re.compile(r"EPSG:(\d+), matrix " + " ".join([_NUMBER] * 6))

Matrix = tuple[float, float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class Georeference:
    """*matrix* (a, b, c, d, e, f): the corner of a pixel lies at x = a · column + b · row + c and
    y = d · column + e · row + f in the system *epsg* (0: not stated).
    """

    matrix: Matrix
    epsg: int

    def moved(self, top: int, left: int) -> "Georeference":
        """That of a part which begins at row *top* and column *left*."""
        a, b, c, d, e, f = self.matrix
        moved = (a, b, a * left + b * top + c, d, e, d * left + e * top + f)
        return replace(self, matrix=moved)

    def pixel(self, x: float, y: float) -> tuple[float, float]:
        """Column and row of the place (*x*, *y*). Raises ZeroDivisionError for a flat matrix."""
        a, b, c, d, e, f = self.matrix
        det = a * e - b * d
        return (e * (x - c) - b * (y - f)) / det, (a * (y - f) - d * (x - c)) / det

    def note(self) -> Note:
        """What the record of a sample keeps."""
        return Note(CODE, f"EPSG:{self.epsg}, matrix {' '.join(map(repr, self.matrix))}")


def of_note(note: Note) -> Georeference | None:
    """What :meth:`Georeference.note` wrote; None for other notes."""
    match = _TEXT.fullmatch(note.message) if note.code == CODE else None
    if match is None:
        return None
    a, b, c, d, e, f = (float(number) for number in match.groups()[1:])
    return Georeference((a, b, c, d, e, f), int(match[1]))


def moved(notes: Iterable[Note], top: int, left: int) -> tuple[Note, ...]:
    """Those of *notes* that say where a picture lies, for its part that begins at row *top* and
    column *left*.
    """
    places = [place for note in notes if (place := of_note(note))]
    return tuple(place.moved(top, left).note() for place in places)


def read(data: bytes) -> Georeference | None:
    """The georeference of a TIFF's first page; None where it has none, or one by ground control
    points.
    """
    tags = _tags(data)
    keys = _keys(tags.get(_KEYS, ()))
    epsg = keys.get(_PROJECTED) or keys.get(_GEOGRAPHIC) or 0
    shift = 0.5 if keys.get(_RASTER_TYPE) == _POINT else 0.0
    whole = tags.get(_TRANSFORMATION, ())
    scale, ties = tags.get(_SCALE, ()), tags.get(_TIEPOINTS, ())
    if len(whole) == 16:
        matrix = (whole[0], whole[1], whole[3], whole[4], whole[5], whole[7])
    elif len(scale) >= 2 and len(ties) == 6:
        column, row, _, x, y, _ = ties
        matrix = (scale[0], 0.0, x - column * scale[0], 0.0, -scale[1], y + row * scale[1])
    else:
        return None
    if not matrix[0] * matrix[4] - matrix[1] * matrix[3]:
        return None
    a, b, c, d, e, f = map(float, matrix)
    corner = (a, b, c - shift * (a + b), d, e, f - shift * (d + e))
    return Georeference(corner, 0 if epsg == _USER_DEFINED else int(epsg))


def nodata(data: bytes) -> float | None:
    """The value that means no data, as GDAL writes it; None where none is stated. NaN is one."""
    text = b"".join(_tags(data).get(_NODATA, ())).split(b"\0")[0]
    try:
        return float(text) if text.strip() else None
    except ValueError:
        return None


def _keys(numbers: tuple[int, ...]) -> dict[int, int]:
    """GeoKey -> value, of those that are plain numbers."""
    entries = [numbers[at : at + 4] for at in range(4, len(numbers) - 3, 4)]
    return {key: value for key, place, _, value in entries if place == 0}


def _tags(data: bytes) -> Mapping[int, tuple[Any, ...]]:
    """The tags of this room that the first page has; none where the file is damaged."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
    if order is None:
        return {}
    wanted = {_SCALE, _TIEPOINTS, _TRANSFORMATION, _KEYS, _NODATA}
    try:
        (at,) = struct.unpack_from(f"{order}I", data, 4)
        (count,) = struct.unpack_from(f"{order}H", data, at)
        tags = {}
        for entry in range(at + 2, at + 2 + 12 * count, 12):
            tag, kind, number, value = struct.unpack_from(f"{order}HHII", data, entry)
            if tag not in wanted or kind not in _KINDS or number > 65_536:
                continue
            form = f"{order}{number}{_KINDS[kind]}"
            where = entry + 8 if struct.calcsize(form) <= 4 else value
            tags[tag] = struct.unpack_from(form, data, where)
    except struct.error:
        return {}
    return tags
