"""Values of annotation JSON, checked: every message has the address of the value."""

from pathlib import Path
from typing import Any

from segprep.errors import SourceError
from segprep.names import clean_label, shown
from segprep.sources._common.shapes.region_shapes import Ring, flat_points


def mapping(value: Any, path: Path, address: str) -> dict[str, Any]:
    """*value* as an object. Raises SourceError."""
    if not isinstance(value, dict):
        raise SourceError(path, f"{address}: an object was expected, not {type(value).__name__}")
    return value


def sequence(value: Any, path: Path, address: str) -> list[Any]:
    """*value* as a list; None is an empty one. Raises SourceError."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise SourceError(path, f"{address}: a list was expected, not {type(value).__name__}")
    return value


def text(value: Any, path: Path, address: str) -> str:
    """*value* as text. Raises SourceError."""
    if not isinstance(value, str) or not value:
        raise SourceError(path, f"{address}: text was expected, not {shown(value)[:80]}")
    return value


def label(value: Any, path: Path, address: str) -> str:
    """*value* as a label. Raises SourceError (bad-label)."""
    try:
        return clean_label(value)
    except ValueError as error:
        hint = "name it in the annotation tool"
        raise SourceError(path, f"{address}: {error}", hint, "bad-label") from error


def number(value: Any, path: Path, address: str) -> float:
    """*value* as a number. Raises SourceError (bad-shape)."""
    if type(value) not in (int, float) or not abs(value) < 1e15:
        raise SourceError(
            path, f"{address}: a number was expected, not {shown(value)[:80]}", code="bad-shape"
        )
    return float(value)


def whole(value: Any, path: Path, address: str) -> int:
    """*value* as a whole number, also if it is written as text or 640.0. Raises SourceError."""
    plain = float(value) if isinstance(value, str) and value.strip().isdecimal() else value
    if type(plain) not in (int, float) or not abs(plain) < 1e9 or plain != int(plain):
        raise SourceError(path, f"{address}: a whole number was expected, not {shown(value)[:80]}")
    return int(plain)


def size(height: Any, width: Any, path: Path, address: str) -> tuple[int, int] | None:
    """(H, W), or None if neither is stated or both are 0. Raises SourceError."""
    if height in (None, 0) and width in (None, 0):
        return None
    rows, columns = whole(height, path, f"{address}.height"), whole(width, path, f"{address}.width")
    if rows < 1 or columns < 1:
        raise SourceError(path, f"{address}: {columns}x{rows} is not an image size")
    return rows, columns


def ring(value: Any, path: Path, address: str) -> Ring:
    """*value* as a ring of points. Raises SourceError (bad-shape)."""
    points = flat_points(value)
    if points is None:
        raise SourceError(
            path, f"{address}: a list of points was expected, not {shown(value)[:80]}",
            "redraw or delete the region", "bad-shape",
        )  # fmt: skip
    return points
