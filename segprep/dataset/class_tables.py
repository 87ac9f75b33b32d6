"""Files that list classes, as other tools write them: by position, by value, with colors.

    background                        one name per line; the position is the pixel value
    0 background   |  0: background   a value beside each name, also: background 0
    Pixel Value, Class                CSV with a header (Roboflow's _classes.csv, id,name, …)
    name, r, g, b                     CamVid's class_dict.csv; label_colors.txt: r g b name
    cat:1,2,3::                       labelmap.txt of CVAT and Datumaro
    names: [a, b]  |  - a  |  0: a    YOLO's data.yaml
    JSON                              lists of names or objects; {name: id}, {id: name}; nnU-Net's
                                      dataset.json, Mapillary's config, COCO's categories,
                                      Supervisely's obj_class_to_machine_color.json

What is neither a plain list nor one of these is refused, for every name would be off by one.
"""

import csv
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segprep.errors import SegprepError

NAMES = (
    *("class_names.txt", "labelmap.txt", "classes.txt", "codes.txt", "label.txt", "labels.txt"),
    *("_classes.csv", "classes.csv", "class_dict.csv", "class_dict_seg.csv", "classes.json"),
    *("dataset.json", "obj_class_to_machine_color.json", "config_v1.2.json", "config.json"),
    *("data.yaml", "label_colors.txt"),
)
_IGNORE = 255
_VALUE = {"pixelvalue", "value", "id", "index", "labelid", "classid", "pixel", "ids", "classindex"}
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
_LISTS = ("names", "labels", "classes", "categories", "label_map", "class_names", "tags")
_PLAIN_HINT = "write one name per line in the order of the pixel values, or VALUE NAME per line"


@dataclass(frozen=True, slots=True)
class ClassRow:
    """A class of a file: its *name*, and the pixel *value* where the file states one."""

    name: str
    value: int | None = None


def read(path: Path, data: bytes) -> list[str]:
    """The names of the file *path* with content *data*; their position is the pixel value, and a
    value without a name becomes ``class_N``.

    Raises SegprepError for what is not a list of classes.
    """
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise _refused(path, f"cannot be read as UTF-8 text: {error}", "save it as UTF-8") from None
    rows = _rows(path, text)
    if not rows:
        raise _refused(path, "names no class")
    if all(row.value is None for row in rows):
        return [row.name for row in rows]
    return _placed(path, rows)


def _refused(path: Path, reason: str, hint: str = _PLAIN_HINT) -> SegprepError:
    return SegprepError("bad-classes", f"{path}: {reason}", hint)


def _rows(path: Path, text: str) -> list[ClassRow]:
    if path.suffix.lower() == ".json" or text.lstrip()[:1] in ("{", "["):
        return _from_json(path, text)
    if path.suffix.lower() in (".yaml", ".yml"):
        return _from_yaml(path, text)
    lines = [line.strip() for line in text.split("\n")]
    lines = [line for line in lines if line and not line.startswith(("#", "//"))]
    if path.name == "class_names.txt":  # of a tree: names as they are
        return [ClassRow(name) for line in text.split("\n") if (name := line.strip())]
    if path.name == "labelmap.txt" or (lines and all(line.count(":") == 3 for line in lines)):
        names = [line.split(":")[0].strip() for line in lines]
        return [ClassRow(name) for name in names if name and name != "ignored"]
    return _from_lines(path, lines)


def _placed(path: Path, rows: Sequence[ClassRow]) -> list[str]:
    """The names at the positions of their values."""
    by_value: dict[int, str] = {}
    for row in rows:
        if row.value is None or not 0 <= row.value <= _IGNORE:
            raise _refused(path, f"{row.name!r} has the value {row.value}; 0 to 254 are possible")
        if row.value != _IGNORE and by_value.setdefault(row.value, row.name) != row.name:
            first = by_value[row.value]
            raise _refused(path, f"gives value {row.value} to {first!r} and {row.name!r}")
    missing = "_background_" if 0 not in by_value else ""
    return [
        by_value.get(value, (missing if value == 0 else "") or f"class_{value}")
        for value in range(max(by_value, default=-1) + 1)
    ]


def _from_lines(path: Path, lines: Sequence[str]) -> list[ClassRow]:
    if len(lines) == 1 and "," in lines[0]:
        return [ClassRow(name.strip()) for name in lines[0].split(",") if name.strip()]
    colored = [_without_color(line) for line in lines]
    if lines and all(colored):
        return [ClassRow(name) for name in colored]
    delimiter = next((mark for mark in ",;\t" if any(mark in line for line in lines)), None)
    if delimiter and all(delimiter in line for line in lines):
        table = [
            [cell.strip().strip('"') for cell in row]
            for row in csv.reader(lines, delimiter=delimiter)
        ]
        return _from_table(path, table)
    if delimiter in (",", ";"):
        odd = next(line for line in lines if delimiter in line)
        raise _refused(path, f"is not a plain list: {odd!r} holds {delimiter!r}")
    for pattern in (
        r"(?P<value>\d+)\s*[:=\s]\s*(?P<name>\D.*)",
        r"(?P<name>.*[^\d\s:=])\s*[:=]\s*(?P<value>\d+)",
        r"(?P<name>\S*[^\d\s]\S*)\s+(?P<value>\d+)",
    ):
        matches = [re.fullmatch(pattern, line) for line in lines]
        rows = [ClassRow(match["name"].strip(), int(match["value"])) for match in matches if match]
        if len(rows) == len(lines) and len({row.name for row in rows}) == len(rows) > 0:
            if min(row.value or 0 for row in rows) > 1:
                raise _refused(path, f"may be names with numbers or a table: {lines[0]!r}")
            return rows
    return [ClassRow(line) for line in lines]


def _without_color(line: str) -> str:
    """The name of ``r g b name`` or ``name r g b``; "" where the line is neither."""
    number = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
    color = rf"{number}\s+{number}\s+{number}"
    match = re.fullmatch(rf"{color}\s+(\D.*)|(.*\D)\s+{color}", line)
    return (match[1] or match[2]).strip() if match else ""


def _from_table(path: Path, table: Sequence[Sequence[str]]) -> list[ClassRow]:
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
    raise _refused(path, f"is a table whose columns are not understood: {listed}")


def _whole(path: Path, cell: str) -> int:
    if not cell.isdecimal() or len(cell) > 5:
        raise _refused(path, f"{cell!r} is not a pixel value")
    return int(cell)


def _from_json(path: Path, text: str) -> list[ClassRow]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _refused(path, f"is not valid JSON: {error}") from None
    for key in _LISTS:
        if isinstance(content, Mapping) and isinstance(content.get(key), list | dict):
            content = content[key]
            break
    rows = _from_list(content) if isinstance(content, list) else _from_object(content)
    if rows is None:
        raise _refused(path, "is JSON, but not a list of classes that is known")
    return rows


def _from_list(content: Sequence[Any]) -> list[ClassRow] | None:
    if all(isinstance(entry, str) for entry in content):
        return [ClassRow(name) for name in content]
    rows = []
    for entry in content:
        keys = entry if isinstance(entry, Mapping) else {}
        name = next((keys[key] for key in ("name", "title", "label") if key in keys), None)
        value = next((keys[key] for key in ("id", "value", "index") if key in keys), None)
        if not isinstance(name, str):
            return None
        whole = isinstance(value, int) and not isinstance(value, bool) and value >= 0
        rows.append(ClassRow(name, value if whole else None))
    if all(row.value is not None for row in rows):
        return rows
    return [ClassRow(row.name) for row in rows]


def _from_object(content: object) -> list[ClassRow] | None:
    """{name: value}, {value: name}, {name: [r, g, b]} whose grays are values."""
    if not isinstance(content, Mapping) or not content:
        return None
    pairs = list(content.items())
    if all(isinstance(value, str) and key.isdecimal() for key, value in pairs):
        return [ClassRow(value, int(key)) for key, value in pairs if len(key) < 6]
    if all(isinstance(value, int) and not isinstance(value, bool) for _, value in pairs):
        return [ClassRow(key, value) for key, value in pairs]
    if all(isinstance(value, list) and len(value) == 3 for _, value in pairs):
        grays = [value[0] for _, value in pairs if len(set(map(str, value))) == 1]
        gray = len(set(map(str, grays))) == len(pairs) and all(
            isinstance(level, int) for level in grays
        )
        return [ClassRow(key, value[0] if gray else None) for key, value in pairs]
    return None


def _from_yaml(path: Path, text: str) -> list[ClassRow]:
    """``names`` of a YOLO data.yaml: inline, as a list, or by number."""
    match = re.search(r"^names\s*:[ \t]*(.*)$", text, re.MULTILINE)
    if not match:
        raise _refused(path, "has no names:")
    inline = match[1].split("#")[0].strip()
    if inline.startswith("["):
        listed = re.search(r"\[(.*?)\]", text[match.start(1) :], re.DOTALL)
        cells = listed[1].split(",") if listed else []
        return [ClassRow(cell.strip().strip("\"'")) for cell in cells if cell.strip()]
    return list(_yaml_block(text[match.end() :].split("\n")[1:]))


def _yaml_block(lines: Iterable[str]) -> Iterable[ClassRow]:
    for line in lines:
        if not (match := re.fullmatch(r"\s*(?:-|(\d{1,5})\s*:)\s+(.*?)\s*", line)):
            if line.strip():
                return
            continue
        yield ClassRow(match[2].strip("\"'"), int(match[1]) if match[1] else None)
