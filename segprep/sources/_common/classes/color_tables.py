"""Color-coded masks: tables of colors, and pictures of colors as class ids."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segprep.dataset import classes as class_lists
from segprep.errors import UsageError
from segprep.files import read_plain
from segprep.imaging import image
from segprep.sources._common.classes import color_rows
from segprep.sources._common.classes.color_rows import Color
from segprep.types import IGNORE, Classes

_HOME = Path(__file__).with_name("tables")
_IGNORED = {"ignored", "ignore", "__ignore__"}
_INLINE = re.compile(r"\s*\d{1,3} +\d{1,3} +\d{1,3} +[^;]+;")


@dataclass(frozen=True, slots=True)
class ColorTable:
    """Classes and their colors: (R, G, B) and the id each stands for, 255 for what is ignored. A
    color may stand for several classes.
    """

    classes: Classes
    colors: tuple[tuple[Color, int], ...]


def built_in() -> tuple[str, ...]:
    """The names of the tables that come with segprep."""
    return tuple(sorted(path.stem for path in _HOME.glob("*.txt")))


def load(spec: str) -> ColorTable:
    """The table *spec*: a built-in name, or a file with ``R G B name`` or ``name R G B`` per line
    (spaces, commas, colons), labelmap.txt, a dataset_meta.json, or rows joined by semicolons.

    Ids count the lines from 0; lines named ignored, ignore or __ignore__ stand for 255. Raises
    UsageError.
    """
    if _INLINE.match(spec):
        return _table(color_rows.parsed(Path("--table"), spec.replace(";", "\n")))
    path = _HOME / f"{spec}.txt" if spec in built_in() else Path(spec)
    try:
        text = read_plain(path).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            "bad-option",
            f"the color table {spec} cannot be read: {error}",
            f"give a file, or one of: {', '.join(built_in())}",
        ) from error
    rows = (
        _from_json(path, text) if path.suffix.lower() == ".json" else color_rows.parsed(path, text)
    )
    return _table(rows)


def _table(rows: Sequence[tuple[str, Color]]) -> ColorTable:
    names = list(dict.fromkeys(name for name, _ in rows if name not in _IGNORED))
    classes = class_lists.make(names, add_background=False)
    ids = {name: number for number, name in enumerate(classes.names)} | dict.fromkeys(
        _IGNORED, IGNORE
    )
    return ColorTable(classes, tuple((color, ids[name]) for name, color in rows))


def counted(shown: NDArray[np.uint8]) -> dict[Color, int]:
    """Color -> pixels of a picture (H, W, 3)."""
    codes = shown.astype(np.uint32) @ np.array([65_536, 256, 1], np.uint32)
    values, counts = np.unique(codes, return_counts=True)
    return {
        (code >> 16, code >> 8 & 255, code & 255): count
        for code, count in zip(values.tolist(), counts.tolist(), strict=True)
    }


def covers(name: str, colors: Mapping[Color, int]) -> bool:
    """Whether the built-in table *name* has all *colors*, of which there are several."""
    return len(colors) > 1 and colors.keys() <= {color for color, _ in load(name).colors}


def proposed(colors: Mapping[Color, int]) -> list[str]:
    """``R G B NAME`` for each of *colors*, most frequent first: black is the background, a color of
    a built-in table has its name there if no other has it.
    """
    names: dict[Color, str] = {(0, 0, 0): "background"}
    for spec in built_in():
        if spec == "ade20k":  # of its 150 colors some occur in any picture
            continue
        table = load(spec)
        for color, number in table.colors:
            if number != IGNORE and table.classes.names[number] != "background":
                names.setdefault(color, table.classes.names[number])
    lines, used = [], set[str]()
    ordered = sorted(colors, key=lambda color: (color != (0, 0, 0), -colors[color], color))
    for number, color in enumerate(ordered):
        name = names.get(color, f"class_{number}")
        name = name.replace(" ", "_") if name not in used else f"class_{number}"
        used.add(name)
        lines.append(f"{color[0]} {color[1]} {color[2]} {name}")
    return lines


def _from_json(path: Path, text: str) -> list[tuple[str, Color]]:
    """Datumaro's dataset_meta.json: label_map and segmentation_colors."""
    try:
        content = json.loads(text)
        names = [
            name for _, name in sorted(content["label_map"].items(), key=lambda pair: int(pair[0]))
        ]
        rows = [
            (str(name), (int(red), int(green), int(blue)))
            for name, (red, green, blue) in zip(names, content["segmentation_colors"], strict=True)
        ]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise UsageError(
            "bad-option",
            f"{path}: is not a dataset_meta.json with label_map and segmentation_colors: {error}",
            "give a text file of R G B name",
        ) from error
    if any(not 0 <= part <= 255 for _, color in rows for part in color):
        raise UsageError(
            "bad-option", f"{path}: a color is not from 0 to 255", "fix segmentation_colors"
        )
    return rows


def voc(classes: Classes) -> ColorTable:
    """VOC's colors for *known* classes, and its border color."""
    colors = image.voc_colors()
    own = [
        ((colors[3 * n], colors[3 * n + 1], colors[3 * n + 2]), n)
        for n in range(len(classes.names))
    ]
    return ColorTable(classes, (*own, ((224, 224, 192), IGNORE)))


def gray(classes: Classes) -> ColorTable:
    """Ids as gray levels: (id, id, id)."""
    return ColorTable(classes, tuple(((n, n, n), n) for n in (*range(len(classes.names)), IGNORE)))


def flattened(classes: Classes) -> ColorTable:
    """What is left of VOC's colors when a palette mask was saved as luminance; several ids may
    share a level.
    """
    rows = [(image.luminance(color), number) for color, number in voc(classes).colors]
    return ColorTable(classes, tuple(((level, level, level), number) for level, number in rows))
