"""Lines of a color table: which cells are the color of a class, and which its name."""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from segprep.errors import UsageError

Color = tuple[int, int, int]
_LABELMAP = re.compile(r"(?P<name>[^:]*):(?P<color>\d+,\d+,\d+):[^:]*:[^:]*")
_TRIPLE = re.compile(r"(\d{1,3})[\s,;]+(\d{1,3})[\s,;]+(\d{1,3})")
_BRACKETED = re.compile(rf"[\[({{]\s*{_TRIPLE.pattern}\s*[\])}}]")
_HEX = re.compile(r"(?:#|0x)([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})")
_RED = ("r", "red")
_NAMES = ("name", "names", "class", "classname", "classnames", "label", "labelname", "category")
_HINT = "write R G B name, one class per line"


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a table in *cells*; *run*: where three or more numbers follow each other, and how
    many; *color* where one cell holds a whole color.
    """

    cells: tuple[str, ...]
    run: tuple[int, int] = (0, 0)
    color: tuple[int, Color] | None = None


def parsed(path: Path, text: str) -> list[tuple[str, Color]]:
    """(name, (R, G, B)) of every line of *text*, the content of *path*; empty lines, comments and a
    heading have none. Raises UsageError for a line without a color, a level above 255, no line.
    """
    header: tuple[str, ...] = ()
    lines: list[_Line] = []
    for number, stripped in enumerate(map(str.strip, text.splitlines()), 1):
        if not stripped or (stripped.startswith("#") and not _HEX.match(stripped)):
            continue
        if line := _line(_BRACKETED.sub(r"\1 \2 \3", stripped)):
            lines.append(line)
        elif lines or any(word.isdecimal() for word in re.split(r"[\s,:;]+", stripped)):
            raise _refused(path, f"line {number}: {stripped!r} has no R G B")
        else:
            header = tuple(re.sub(r"[^a-z]", "", cell.lower()) for cell in _cells(stripped))
    if not lines:
        raise _refused(path, "holds no colors")
    if max(line.run[1] for line in lines) > 4 and not set(header) & set(_RED):
        numbers = ", ".join(max(lines, key=lambda line: line.run[1]).cells)
        raise _refused(path, f"which of the numbers are the color? {numbers}")
    first = _first_of_run(lines, header)
    colors = [_color(line, first) for line in lines]
    if bad := next((color for color in colors if max(color) > 255), None):
        raise _refused(path, f"{bad} is not a color of 0 to 255")
    return list(zip(_names(lines, header), colors, strict=True))


def _refused(path: Path, reason: str) -> UsageError:
    return UsageError("bad-option", f"{path}: {reason}", _HINT)


def _cells(stripped: str) -> list[str]:
    mark = next((mark for mark in "\t;," if mark in stripped), None)
    if mark is None:
        return re.split(r"[\s:]+", stripped)
    row = next(csv.reader([stripped], delimiter=mark, skipinitialspace=True), [])
    return [cell.strip() for cell in row if cell.strip()]


def _line(stripped: str) -> _Line | None:
    """The cells of a line that has a color; None for one that has none."""
    if match := _LABELMAP.fullmatch(stripped):
        return _with_color([match["name"].strip(), match["color"]])
    return _with_color(_cells(stripped)) or _with_color(
        [word for word in re.split(r"[\s,:;]+", stripped) if word]
    )


def _with_color(cells: Sequence[str]) -> _Line | None:
    for at, cell in enumerate(cells):
        if match := _TRIPLE.fullmatch(cell):
            levels = [int(level) for level in match.groups()]
        elif match := _HEX.fullmatch(cell):
            levels = [int(level, 16) for level in match.groups()]
        else:
            continue
        return _Line(tuple(cells), color=(at, cast("Color", tuple(levels))))
    marks = "".join("9" if cell.isdecimal() else "-" for cell in cells)
    runs = [match.span() for match in re.finditer("9{3,}", marks)]
    return _Line(tuple(cells), (runs[0][0], runs[0][1] - runs[0][0])) if runs else None


def _first_of_run(lines: Sequence[_Line], header: Sequence[str]) -> int:
    """How many numbers of each run come before its color: the header says it; else numbers that
    count the lines, or an alpha of 255 in all of them, are at one end; else one of four is an id
    before the color.
    """
    runs = [line for line in lines if line.color is None]
    red = next((n for n, cell in enumerate(header) if cell in _RED), None)
    if red is not None:
        return max(0, red - min((line.run[0] for line in runs), default=0))
    if not runs or min(line.run[1] for line in runs) < 4:
        return 0
    heads = [int(line.cells[line.run[0]]) for line in runs]
    tails = [int(line.cells[sum(line.run) - 1]) for line in runs]
    counts = any(heads == list(range(start, start + len(heads))) for start in (0, 1))
    alpha = len(tails) > 1 and set(tails) == {255} and max(line.run[1] for line in runs) == 4
    trailing = any(tails == list(range(start, start + len(tails))) for start in (0, 1))
    return int(counts or not (trailing or alpha))


def _color(line: _Line, first: int) -> Color:
    if line.color:
        return line.color[1]
    start = line.run[0] + min(first if line.run[1] > 3 else 0, line.run[1] - 3)
    return cast("Color", tuple(int(cell) for cell in line.cells[start : start + 3]))


def _names(lines: Sequence[_Line], header: Sequence[str]) -> list[str]:
    """The name of each line; a number at its end belongs to it where names would be equal without
    it (lane 1, lane 2), or stands within a cell of the table.
    """
    if len({len(line.cells) for line in lines} | {len(header)}) == 1:
        column = next((n for n, cell in enumerate(header) if cell in _NAMES), None)
        if column is not None:
            return [line.cells[column] for line in lines]
    short, full = [], []
    for number, line in enumerate(lines):
        start, length = (line.color[0], 1) if line.color else line.run
        before, after = list(line.cells[:start]), list(line.cells[start + length :])
        words = [cell for cell in (*before, *after) if not cell.isdecimal()]
        short.append(" ".join(words) or f"class_{number}")
        last = after if after and not after[0].isdecimal() else before
        if last is before and not line.color and length > 3:
            last = [*before, line.cells[start]]
        while last and last[0].isdecimal():
            last = last[1:]
        full.append(" ".join(last) or short[-1])
    counts = Counter(short)
    return [long if counts[name] > 1 else name for name, long in zip(short, full, strict=True)]
