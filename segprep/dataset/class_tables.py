"""Files that list classes, as other tools write them: by position, by value, with colors.

    background                        one name per line; the position is the pixel value
    0 background   |  0: background   a value beside each name, also: background 0
    Pixel Value, Class                CSV with a header (Roboflow's _classes.csv, id,name, …)
    name, r, g, b                     CamVid's class_dict.csv; label_colors.txt: r g b name
    cat:1,2,3::                       labelmap.txt of CVAT and Datumaro
    names: [a, b]  |  - a  |  0: a    YOLO's data.yaml
    JSON                              lists of names or objects; {name: id}, {id: name}; nnU-Net's
                                      dataset.json, whose last label may be "ignore"; MONAI's
                                      datalist.json, Mapillary's config, COCO's categories,
                                      Supervisely's obj_class_to_machine_color.json

What is neither a plain list nor one of these is refused, for every name would be off by one.
"""

import csv
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from segprep.dataset.class_rows import (
    ClassRow,
    from_table,
    numbered_colors,
    refused,
    spaced_table,
    without_color,
)
from segprep.dataset.manifest import EXPORT
from segprep.files import digest, read_plain

NAMES = (
    *("class_names.txt", "labelmap.txt", "classes.txt", "codes.txt", "label.txt", "labels.txt"),
    *("_classes.csv", "classes.csv", "class_dict.csv", "class_dict_seg.csv", "classes.json"),
    *("dataset.json", "obj_class_to_machine_color.json", "config_v1.2.json", "config.json"),
    *("data.yaml", "label_colors.txt", "class.txt", "id2label.json", "mask_targets.json"),
    *("datalist.json",),
)
_IGNORE = 255
_IGNORED = "__ignore__"  # the first line of labelme's lists
_HEADERS = frozenset(
    ("name", "names", "class", "classes", "classname", "classnames", "label", "labels", "labelname",
     "category", "categories")
)  # fmt: skip
_RULE = re.compile(r"[\s|:-]+")  # below the header of a Markdown table
_NUMBERED = re.compile(r"\d+[.)]\s+\D")
_PROGRAM = re.compile(r"[^{}]*\{[^{}]*:|\w+\s*=\s*[\[({]|(def|class|import|from)\s.*[:(]")
_LABELMAP = re.compile(r"[^:]+:(\s*\d+\s*,\s*\d+\s*,\s*\d+\s*)?:[^:]*:[^:]*")  # CVAT's
_HIDDEN_VALUE = re.compile(r"\S+\s+\d+\s+\D\S*$|\d+\s+\D\S*\s+\D\S*\s+\d+")
_QUOTED = r'"(?:[^"\\]|\\.)*"|\'(?:[^\']|\'\')*\''
_YAML_CELL = re.compile(rf"(?:\s*#.*\n)*\s*({_QUOTED}|[^,]+)")
_YAML_LIST = re.compile(rf"\[((?:{_QUOTED}|[^\]])*)\]")
_LISTS = ("names", "labels", "classes", "categories", "label_map", "class_names", "tags")


def read(path: Path, data: bytes) -> list[str]:
    """The names of the file *path* with content *data*; their position is the pixel value, and a
    value without a name becomes ``class_N``.

    Raises SegprepError for what is not a list of classes.
    """
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise refused(path, f"cannot be read as UTF-8 text: {error}", "save it as UTF-8") from None
    rows = _lines(text) if _is_exported(path, data) else _rows(path, text)
    if not rows:
        raise refused(path, "names no class")
    if all(row.value is None for row in rows):
        return [row.name for row in rows]
    return _placed(path, rows)


def _rows(path: Path, text: str) -> list[ClassRow]:
    if path.suffix.lower() == ".json" or text.lstrip()[:1] in ("{", "["):
        return _from_json(path, text)
    if path.suffix.lower() in (".yaml", ".yml"):
        return _from_yaml(path, text)
    lines = [line.strip() for line in text.split("\n")]
    lines = [line for line in lines if line and not line.startswith(("#", "//"))]
    if path.name == "class_names.txt" or lines[:1] == [_IGNORED]:  # a tree's, labelme's: as it is
        return _lines(text)
    if path.name == "labelmap.txt" or (lines and all(map(_LABELMAP.fullmatch, lines))):
        names = [line.split(":")[0].strip() for line in lines]
        return [ClassRow(name) for name in names if name and name != "ignored"]
    return _from_lines(path, lines)


def _lines(text: str) -> list[ClassRow]:
    return [ClassRow(name) for line in text.split("\n") if (name := line.strip())]


def _is_exported(path: Path, data: bytes) -> bool:
    """Whether *path* with content *data* is the list of an export of segprep, as it was written:
    one name per line, whatever the names hold.
    """
    if path.name != "labels.txt":
        return False
    with suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
        described = json.loads(read_plain(path.with_name(EXPORT)))
        return bool(described["digests"][path.name] == digest(data))
    return False


def _placed(path: Path, rows: Sequence[ClassRow]) -> list[str]:
    """The names at the positions of their values."""
    by_value: dict[int, str] = {}
    for row in rows:
        if row.value is None or not 0 <= row.value <= _IGNORE:
            raise refused(path, f"{row.name!r} has the value {row.value}; 0 to 254 are possible")
        if row.value != _IGNORE and by_value.setdefault(row.value, row.name) != row.name:
            first = by_value[row.value]
            raise refused(path, f"gives value {row.value} to {first!r} and {row.name!r}")
    missing = "_background_" if 0 not in by_value else ""
    return [
        by_value.get(value, (missing if value == 0 else "") or f"class_{value}")
        for value in range(max(by_value, default=-1) + 1)
    ]


def _program_line(lines: Sequence[str]) -> str | None:
    """The first of *lines* that belongs to a program or a web page and to no list of classes."""
    if lines and lines[0].startswith("<"):
        return lines[0]
    for line in lines:
        if line.count("{") != line.count("}") or _PROGRAM.match(line):
            return line
    return None


def _from_lines(path: Path, lines: Sequence[str]) -> list[ClassRow]:
    if odd := _program_line(lines):
        raise refused(path, f"is program text or a web page, not a list: {odd[:60]!r}")
    if lines and all(line.startswith("|") for line in lines):
        lines = [line.strip("|").strip() for line in lines if not _RULE.fullmatch(line)]
    if lines and all(_NUMBERED.match(line) for line in lines):
        raise refused(path, f"numbers its lines, but may not mean values: {lines[0]!r}")
    if len(lines) == 1 and "," in lines[0]:
        return [ClassRow(name.strip()) for name in lines[0].split(",") if name.strip()]
    if odd := next((line for line in lines if _is_prose(line)), None):
        raise refused(path, f"holds sentences, not names: {odd[:60]!r}")
    if rows := spaced_table(path, lines) or numbered_colors(lines):
        return rows
    colored = [without_color(line) for line in lines]
    if lines and all(colored):
        return [ClassRow(name) for name in colored]
    marks = [mark for mark in "\t;|," if any(mark in line for line in lines)]
    shared = [mark for mark in marks if all(mark in line for line in lines)]
    delimiter = next(iter((*shared, *marks)), None)
    if delimiter and all(delimiter in line for line in lines):
        table = [
            [cell.strip().strip("\"'") for cell in row]
            for row in csv.reader(lines, delimiter=delimiter)
        ]
        return from_table(path, table)
    if delimiter in (",", ";", "|"):
        odd = next(line for line in lines if delimiter in line)
        raise refused(path, f"is not a plain list: {odd!r} holds {delimiter!r}")
    for pattern in (
        r"(?P<value>\d+)\s*[:=\s]\s*(?P<name>\D.*)",
        r"(?P<name>.*[^\d\s:=])\s*[:=]\s*(?P<value>\d+)",
        r"(?P<name>\S*[^\d\s]\S*)\s+(?P<value>\d+)",
    ):
        matches = [re.fullmatch(pattern, line) for line in lines]
        rows = [ClassRow(match["name"].strip(), int(match["value"])) for match in matches if match]
        if len(rows) == len(lines) and len({row.name for row in rows}) == len(rows) > 0:
            if min(row.value or 0 for row in rows) > 1:
                raise refused(path, f"may be names with numbers or a table: {lines[0]!r}")
            return rows
    if odd := next((line for line in lines if _HIDDEN_VALUE.match(line)), None):
        raise refused(path, f"may be a table whose columns are not understood: {odd!r}")
    names = [_unquoted(line) for line in lines]
    headed = len(names) > 1 and re.sub(r"[\s_-]", "", names[0].lower()) in _HEADERS
    return [ClassRow(name) for name in names[headed:]]


def _unquoted(line: str) -> str:
    """*line* without quotation marks around it."""
    quoted = len(line) > 2 and line[0] == line[-1] and line[0] in "\"'"
    return line[1:-1].strip() if quoted else line


def _is_prose(line: str) -> bool:
    return len(line.split()) > 8 or (line.endswith((".", ":")) and len(line.split()) > 3)


def _from_json(path: Path, text: str) -> list[ClassRow]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise refused(path, f"is not valid JSON: {error}") from None
    is_nnunet = isinstance(content, Mapping) and {"labels", "numTraining"} <= content.keys()
    for key in _LISTS:
        if isinstance(content, Mapping) and isinstance(content.get(key), list | dict):
            content = content[key]
            break
    if is_nnunet and isinstance(content, Mapping) and _is_last(content, "ignore"):
        content = {_IGNORED if name == "ignore" else name: content[name] for name in content}
    rows = _from_list(content) if isinstance(content, list) else _from_object(content)
    if rows is None:
        raise refused(path, "is JSON, but not a list of classes that is known")
    return rows


def _is_last(content: Mapping[str, Any], name: str) -> bool:
    """Whether *name* has the highest of the values, which are whole numbers."""
    values = list(content.values())
    return (
        name in content
        and all(type(value) is int for value in values)
        and (content[name] == max(values))
    )


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
        raise refused(path, "has no names:")
    if match[1].startswith("["):
        listed = _YAML_LIST.match(text, match.start(1))
        cells = _YAML_CELL.findall(listed[1]) if listed else []
        return [ClassRow(_plain(cell)) for cell in cells if cell.strip()]
    return list(_yaml_block(text[match.end() :].split("\n")[1:]))


def _yaml_block(lines: Iterable[str]) -> Iterable[ClassRow]:
    for line in lines:
        if not (match := re.fullmatch(r"\s*(?:-|(\d{1,5})\s*:)\s+(.*?)\s*", line)):
            if line.strip():
                return
            continue
        yield ClassRow(_plain(match[2]), int(match[1]) if match[1] else None)


def _plain(scalar: str) -> str:
    """The text of a YAML *scalar*, quoted or not; a comment behind it is dropped."""
    quoted = re.match(_QUOTED, scalar)
    text = quoted[0] if quoted else re.split(r"(?:^|\s)#", scalar)[0].strip()
    if not quoted:
        return text
    if text[0] == "'":
        return text[1:-1].replace("''", "'")
    try:
        return str(json.loads(text, strict=False))
    except ValueError:  # an escape that JSON has not
        return text[1:-1]
