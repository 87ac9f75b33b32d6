"""Where a picture lies on the ground: from a GeoTIFF's tags or a world file, and to files that GIS
programs find beside a mask.
"""

import os
import re
from math import isfinite
from pathlib import Path
from xml.sax.saxutils import escape

from segprep.dataset.shards import names_in
from segprep.dataset.tree import IMAGES, Tree
from segprep.errors import SourceError
from segprep.files import open_inside, read_inside, write_staged
from segprep.imaging import georeference, tiff_rows
from segprep.imaging.tiff_rows import Georeference
from segprep.names import is_sidecar, unsharded
from segprep.tiling.grid import Grid, corners, stem_of_tile
from segprep.types import Entry

_WORLD = {".png": ".pgw", ".jpg": ".jgw", ".jpeg": ".jgw", ".tif": ".tfw", ".tiff": ".tfw"}
_TILE = re.compile(r"_\d{5,}_\d{5,}\.")
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
    coordinate system, where it is known. Both end as ``names.is_sidecar`` says.
    """
    a, b, c, d, e, f = reference.transform
    world = (a, d, b, e, c + (a + b) / 2, f + (d + e) / 2)
    lines = "".join(f"{number!r}\n" for number in world)
    system = f"<SRS>{escape(f'EPSG:{reference.epsg}')}</SRS>" if reference.epsg else ""
    order = ", ".join(repr(number) for number in (c, a, b, f, d, e))
    pam = f"<PAMDataset>{system}<GeoTransform>{order}</GeoTransform></PAMDataset>\n"
    base, suffix = os.path.splitext(name)
    return {base + _WORLD.get(suffix, ".wld"): lines.encode(), f"{name}.aux.xml": pam.encode()}


def of_part(ground: Georeference, top: int, left: int) -> Georeference:
    """Where the part of a picture lies that begins at (*top*, *left*)."""
    a, b, c, d, e, f = ground.transform
    return Georeference((a, b, c + a * left + b * top, d, e, f + d * left + e * top), ground.epsg)


def write_beside(out: Path, grid: Grid) -> None:
    """Write the files that tell where it lies beside the image of every tile in the tree *out*, and
    remove those of tiles that are no more. What is there already stays untouched.
    """
    images, expected = Tree(out), dict[str, bytes]()
    stems = {unsharded(stem): stem for stem in images.stems()}
    for stem, ground in grid.ground.items():
        for corner in corners(*grid.pictures[stem], grid.size, grid.overlap):
            tile = stem_of_tile(stem, corner)
            if path := images.image_path(stems.get(tile, tile)):
                name = path.relative_to(out / IMAGES).as_posix()
                expected |= files(name, of_part(ground, *corner))
    present = {name for name in names_in(out / IMAGES) if is_sidecar(name)}
    for name in present:
        if name not in expected and _TILE.search(name):
            (out / IMAGES / name).unlink()
    for name, content in expected.items():
        if name not in present or read_inside(out, f"{IMAGES}/{name}") != content:
            write_staged(out / IMAGES / name, content)
