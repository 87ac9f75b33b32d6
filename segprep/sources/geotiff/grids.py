"""What bands of a raster are taken, and on which grid it lies."""

from pathlib import Path

from segprep.errors import SourceError, UsageError
from segprep.imaging import georeference
from segprep.imaging.tiff_rows import Georeference


def bands_of(spec: str) -> tuple[int, ...]:
    """Band numbers from 0. Raises UsageError."""
    if not spec:
        return ()
    parts = [part.strip() for part in spec.split(",")]
    if len(parts) not in (1, 3) or not all(part.isdecimal() and int(part) for part in parts):
        message = f"--bands {spec!r} names neither one band nor three"
        raise UsageError("bad-option", message, "for example: --bands 3,2,1")
    return tuple(int(part) - 1 for part in parts)


def check_grid(reference: Georeference | None, other: Georeference | None, path: Path) -> None:
    """Raise SourceError if the labels lie on other ground than their image."""
    if reference is None or other is None:
        return
    columns, rows = georeference.pixel(reference, other.transform[2], other.transform[5])
    if reference.epsg != other.epsg or max(abs(columns), abs(rows)) > 0.5:
        where = f"{columns:.1f} columns and {rows:.1f} rows off"
        systems = f"EPSG:{other.epsg} instead of EPSG:{reference.epsg}"
        reason = (
            f"lies elsewhere than its image: {systems if reference.epsg != other.epsg else where}"
        )
        hint = "bring both to one grid: gdalwarp -t_srs … -te … -tr …"
        raise SourceError(path, reason, hint, "georeference-differs")
