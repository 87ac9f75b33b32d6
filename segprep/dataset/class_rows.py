"""Rows of class lists that are tables: columns by their headers, values by their place."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from segprep.errors import SegprepError

_PLAIN_HINT = "write one name per line in the order of the pixel values, or VALUE NAME per line"
_VALUE = {
    *("pixelvalue", "value", "id", "index", "labelid", "classid", "pixel", "ids", "classindex"),
    *("idx", "trainid", "label_id", "number", "no"),
}
_NAME = {
    "class",
    "name",
    "label",
    "classname",
    "labelname",
    "category",
    "classes",
    "names",
    "title",
}
_RED, _GREEN, _BLUE = {"r", "red"}, {"g", "green"}, {"b", "blue"}
_LEVEL = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_COLOR = rf"{_LEVEL}\s+{_LEVEL}\s+{_LEVEL}"


@dataclass(frozen=True, slots=True)
class ClassRow:
    """A class of a file: its *name*, and the pixel *value* where the file states one."""

    name: str
    value: int | None = None


def refused(path: Path, reason: str, hint: str = _PLAIN_HINT) -> SegprepError:
    """The error for a file that is not a list of classes."""
    return SegprepError("bad-classes", f"{path}: {reason}", hint)


def spaced_table(path: Path, lines: Sequence[str]) -> list[ClassRow]:
    """The rows below a header of several words, as in ``id name``; none where there is no such."""
    if not lines or any(mark in lines[0] for mark in ",;\t"):
        return []
    header = lines[0].lower().split()
    keys = [re.sub(r"[^a-z]", "", word) for word in header]
    named = [key in _VALUE | _NAME | _RED | _GREEN | _BLUE for key in keys]
    if len(header) < 2 or not all(named) or not any(key in _VALUE | _RED for key in keys):
        return []
    most = len(header) - 1
    split = [
        line.rsplit(None, most) if keys[0] in _NAME else line.split(None, most)
        for line in lines[1:]
    ]
    if not split or any(len(row) != len(header) for row in split):
        raise refused(path, f"has rows that do not fit its header {lines[0]!r}")
    return from_table(path, [header, *split])


def numbered_colors(lines: Sequence[str]) -> list[ClassRow]:
    """The rows of ``id r g b name``, ``id name r g b`` or ``name id r g b``; none if they are not
    all numbered without a gap.
    """
    for pattern in (
        rf"(?P<value>\d+)\s+{_COLOR}\s+(?P<name>\D.*)",
        rf"(?P<value>\d+)\s+(?P<name>\D.*?)\s+{_COLOR}",
        rf"(?P<name>.*\D)\s+(?P<value>\d+)\s+{_COLOR}",
    ):
        matches = [match for line in lines if (match := re.fullmatch(pattern, line))]
        values = [int(match["value"]) for match in matches]
        first = values[0] if values else 2
        gapless = values == list(range(first, first + len(values)))
        if len(matches) == len(lines) and gapless and first < 2:
            return [ClassRow(match["name"].strip(), int(match["value"])) for match in matches]
    return []


def without_color(line: str) -> str:
    """The name of ``r g b name`` or ``name r g b``; "" where the line is neither."""
    match = re.fullmatch(rf"{_COLOR}\s+(\D.*)|(.*\D)\s+{_COLOR}", line)
    return (match[1] or match[2]).strip() if match else ""


def from_table(path: Path, table: Sequence[Sequence[str]]) -> list[ClassRow]:
    """Rows of a CSV, with a header or of a plain shape."""
    header = [re.sub(r"[^a-z]", "", cell.lower()) for cell in table[0]]
    columns = {
        kind: next((n for n, cell in enumerate(header) if cell in words), None)
        for kind, words in {
            "value": _VALUE,
            "name": _NAME,
            "r": _RED,
            "g": _GREEN,
            "b": _BLUE,
        }.items()
    }
    if columns["name"] is not None and not any(cell.isdecimal() for cell in table[0]):
        value, name = columns["value"], columns["name"]
        return [
            ClassRow(row[name], _whole(path, row[value]) if value is not None else None)
            for row in table[1:]
            if len(row) > name and row[name]
        ]
    width = {len([cell for cell in row if cell]) for row in table}
    numeric = [all(cell.isdecimal() for cell in column) for column in zip(*table, strict=False)]
    if width == {2} and numeric[:2] in ([True, False], [False, True]):
        at = numeric.index(True)
        return [ClassRow(row[1 - at], int(row[at])) for row in table]
    if width == {4} and numeric[:4] == [False, True, True, True]:
        return [ClassRow(row[0]) for row in table]
    if width == {4} and numeric[:4] == [True, True, True, False]:
        return [ClassRow(row[3]) for row in table]
    listed = ", ".join(table[0][:6])
    raise refused(path, f"is a table whose columns are not understood: {listed}")


def _whole(path: Path, cell: str) -> int:
    if not cell.isdecimal() or len(cell) > 5:
        raise refused(path, f"{cell!r} is not a pixel value")
    return int(cell)
