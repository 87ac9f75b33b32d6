"""Where a picture lies on the ground: from a GeoTIFF's tags or a world file, and to files that GIS
programs find beside a mask.
"""

import os
from math import isfinite
from pathlib import Path
from xml.sax.saxutils import escape

from segprep.errors import SourceError
from segprep.files import open_inside, read_inside
from segprep.imaging import georeference, tiff_rows
from segprep.imaging.tiff_rows import Georeference
from segprep.types import Entry

_WORLD = {".png": ".pgw", ".jpg": ".jgw", ".jpeg": ".jgw", ".tif": ".tfw", ".tiff": ".tfw"}
_LONGEST = 4096  # bytes of a world file


def of(path: Path, roots: tuple[Path, ...]) -> Georeference | None:
    """The georeference of the image at *path*: of the file itself, or of a world file beside it
    (.pgw, .jgw, .tfw, .wld). None where there is none.
    """
    inner = os.path.relpath(path, roots[0])
    try:
        if path.suffix.lower() in (".tif", ".tiff"):
            with open_inside(roots[0], inner) as file:
                reference = tiff_rows.georeferenced(file)
            if reference:
                return reference
        base = os.path.splitext(inner)[0]
        for suffix in (_WORLD.get(path.suffix.lower(), ".wld"), ".wld"):
            if text := read_inside(roots[0], base + suffix, _LONGEST):
                return _parsed(text)
    except SourceError:
        return None
    return None


def noted(entry: Entry) -> Georeference | None:
    """The georeference that the record of a sample keeps, as the format geotiff writes it."""
    return next(filter(None, map(georeference.of_note, entry.notes)), None)


def _parsed(text: bytes) -> Georeference | None:
    """A world file: a, d, b, e, and the center of the upper left pixel."""
    try:
        a, d, b, e, x, y = map(float, text.split())
    except ValueError:
        return None
    if not all(map(isfinite, (a, b, d, e, x, y))):
        return None
    return Georeference((a, b, x - (a + b) / 2, d, e, y - (d + e) / 2), None)


def files(name: str, reference: Georeference) -> dict[str, bytes]:
    """What GIS programs read beside the image *name*: a world file, and GDAL's .aux.xml with the
    coordinate system, where it is known.
    """
    a, b, c, d, e, f = reference.transform
    world = (a, d, b, e, c + (a + b) / 2, f + (d + e) / 2)
    lines = "".join(f"{number!r}\n" for number in world)
    system = f"<SRS>{escape(f'EPSG:{reference.epsg}')}</SRS>" if reference.epsg else ""
    order = ", ".join(repr(number) for number in (c, a, b, f, d, e))
    pam = f"<PAMDataset>{system}<GeoTransform>{order}</GeoTransform></PAMDataset>\n"
    return {f"{os.path.splitext(name)[0]}.pgw": lines.encode(), f"{name}.aux.xml": pam.encode()}
