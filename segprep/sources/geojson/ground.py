"""Places of a GeoJSON file as pixels of its image."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from segprep.errors import SourceError
from segprep.imaging import georeference
from segprep.imaging.tiff_rows import Georeference
from segprep.sources._common.shapes import projections
from segprep.sources._common.shapes.projections import GEOGRAPHIC, Projection
from segprep.types import Note

_EPSG = re.compile(r"EPSG:+(?:\d*:)?(\d+)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Ground:
    """Where the image lies, or None if places are pixels already; *projection* comes before."""

    reference: Georeference | None
    projection: Projection | None = None

    @classmethod
    def of(cls, image: bytes, content: Mapping[str, Any], path: Path) -> "Ground":
        """The ground of *image*, for the places of *content*. Raises SourceError."""
        reference, stated = georeference.read(image), _system(content, path)
        if reference is None:
            if stated not in (0, GEOGRAPHIC) or _geographic(content, most=1):
                stated = stated or GEOGRAPHIC
                reason = f"its coordinates look like EPSG:{stated}, its image has no georeference"
                hint = "give the GeoTIFF that was annotated"
                raise SourceError(path, reason, hint, "georeference-differs")
            return cls(None)
        if not stated:
            stated = GEOGRAPHIC if _geographic(content) else reference.epsg or 0
        if stated == reference.epsg or not reference.epsg:
            return cls(reference)
        projection = projections.from_geographic(reference.epsg) if stated == GEOGRAPHIC else None
        if projection is None:
            reason = f"its coordinates are in EPSG:{stated}, its image in EPSG:{reference.epsg}"
            hint = f"ogr2ogr -t_srs EPSG:{reference.epsg} NEW.geojson {path.name}"
            raise SourceError(path, reason, hint, "georeference-differs")
        return cls(reference, projection)

    def pixel(self, x: float, y: float) -> tuple[float, float]:
        """Column and row, from the corner of the first pixel."""
        if self.reference is None:
            return x, y
        if self.projection:
            x, y = self.projection(x, y)
        return georeference.pixel(self.reference, x, y)

    def notes(self) -> tuple[Note, ...]:
        """What the record of the sample keeps."""
        return (georeference.note(self.reference),) if self.reference else ()


def _system(content: Mapping[str, Any], path: Path) -> int:
    """The EPSG code that a file states; 0 for none. Raises SourceError for one not understood."""
    crs = content.get("crs")
    if not isinstance(crs, dict):
        return 0
    properties = crs.get("properties")
    name = str(properties.get("name")) if isinstance(properties, dict) else ""
    if name.upper().endswith("CRS84"):
        return GEOGRAPHIC
    match = _EPSG.search(name)
    if not match:
        reason = f"crs: the system {name[:60]!r} is not known"
        raise SourceError(path, reason, "write it as EPSG:NUMBER", "georeference-differs")
    return int(match[1])


def _geographic(content: Mapping[str, Any], most: float = 360) -> bool:
    """Whether the first places could be longitude and latitude: fractions of a degree, at most so
    many degrees from each other.
    """
    first = list(islice(_places(content.get("features")), 64))
    if not first or not any(x % 1 or y % 1 for x, y in first):
        return False
    xs, ys = [x for x, _ in first], [y for _, y in first]
    inside = max(map(abs, xs)) <= 180 and max(map(abs, ys)) <= 90
    return inside and max(max(xs) - min(xs), max(ys) - min(ys)) < most


def _places(value: Any) -> Iterator[tuple[float, float]]:
    """Every pair of numbers anywhere in *value*."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            waiting += [part[key] for key in ("geometry", "coordinates") if key in part]
        elif isinstance(part, list) and len(part) >= 2 and type(part[0]) in (int, float):
            if type(part[1]) in (int, float):
                yield part[0], part[1]
        elif isinstance(part, list):
            waiting += part
