"""Colour-coded masks: tables of colours, and pictures of colours as class ids."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from segprep.dataset import classes as class_lists
from segprep.errors import SourceError, UsageError
from segprep.imaging import image
from segprep.types import IGNORE, Classes, Note

_HOME = Path(__file__).with_name("tables")
_UNKNOWN = 65_535
_IGNORED = {"ignored", "ignore", "__ignore__"}
Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Table:
    """Classes and their colours: (R, G, B) and the id each stands for, 255 for what is ignored. A
    colour may stand for several classes.
    """

    classes: Classes
    colours: tuple[tuple[Colour, int], ...]


def built_in() -> tuple[str, ...]:
    """The names of the tables that come with segprep."""
    return tuple(sorted(path.stem for path in _HOME.glob("*.txt")))


def load(spec: str) -> Table:
    """The table *spec*: a built-in name, or a file with ``R G B name`` or ``name R G B`` per line
    (spaces, commas, colons), labelmap.txt, or a dataset_meta.json.

    Ids count the lines from 0; lines named ignored, ignore or __ignore__ stand for 255. Raises
    UsageError.
    """
    path = _HOME / f"{spec}.txt" if spec in built_in() else Path(spec)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            "bad-option",
            f"the colour table {spec} cannot be read: {error}",
            f"give a file, or one of: {', '.join(built_in())}",
        ) from error
    rows = _from_json(path, text) if path.suffix.lower() == ".json" else _from_lines(path, text)
    names = list(dict.fromkeys(name for name, _ in rows if name not in _IGNORED))
    known = class_lists.make(names, add_background=False)
    ids = {name: number for number, name in enumerate(known.names)} | dict.fromkeys(
        _IGNORED, IGNORE
    )
    return Table(known, tuple((colour, ids[name]) for name, colour in rows))


def _from_lines(path: Path, text: str) -> list[tuple[str, Colour]]:
    rows: list[tuple[str, Colour]] = []
    for number, line in enumerate(text.splitlines(), 1):
        words = [word for word in re.split(r"[\s,:;]+", line.strip()) if word]
        if not words or words[0].startswith("#"):
            continue
        first = next(
            (
                n
                for n in range(len(words) - 2)
                if all(word.isdecimal() for word in words[n : n + 3])
            ),
            None,
        )
        if first is None:
            if rows or any(word.isdecimal() for word in words):
                raise UsageError(
                    "bad-option",
                    f"{path}: line {number}: {line.strip()!r} has no R G B",
                    "write R G B name, one class per line",
                )
            continue  # a heading
        first += len(words) > first + 3 and words[first + 3].isdecimal()  # an id before the colour
        colour = tuple(int(word) for word in words[first : first + 3])
        name = (
            " ".join(word for word in (*words[:first], *words[first + 3 :]) if not word.isdecimal())
            or f"class_{len(rows)}"
        )
        if max(colour) > 255:
            raise UsageError(
                "bad-option",
                f"{path}: line {number}: {colour} is no colour of 0 to 255",
                "write R G B name, one class per line",
            )
        rows.append((name, cast("Colour", colour)))
    if not rows:
        raise UsageError(
            "bad-option", f"{path}: holds no colours", "write R G B name, one class per line"
        )
    return rows


def _from_json(path: Path, text: str) -> list[tuple[str, Colour]]:
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
            f"{path}: is no dataset_meta.json with label_map and segmentation_colors: {error}",
            "give a text file of R G B name",
        ) from error
    if any(not 0 <= part <= 255 for _, colour in rows for part in colour):
        raise UsageError(
            "bad-option", f"{path}: a colour is not from 0 to 255", "mend segmentation_colors"
        )
    return rows


@cache
def _look_up(
    colours: tuple[tuple[Colour, int], ...],
) -> tuple[NDArray[np.uint16], Mapping[Colour, tuple[int, ...]]]:
    """id by 24-bit colour, and the colours that stand for several ids."""
    table = np.full(1 << 24, _UNKNOWN, np.uint16)
    meanings: dict[Colour, tuple[int, ...]] = {}
    for colour, number in colours:
        meanings[colour] = tuple(dict.fromkeys((*meanings.get(colour, ()), number)))
        table[colour[0] << 16 | colour[1] << 8 | colour[2]] = (
            number if len(meanings[colour]) == 1 else _UNKNOWN
        )
    return table, {colour: ids for colour, ids in meanings.items() if len(ids) > 1}


def to_ids(
    shown: NDArray[np.uint8], table: Table, path: Path, unknown: str, notes: list[Note]
) -> NDArray[np.uint8]:
    """*shown* (H, W, 3) as ids (H, W).

    Colours without a class: *unknown* = error, ignore (255) or nearest. Raises SourceError, which
    counts them.
    """
    look_up, doubtful = _look_up(table.colours)
    codes = (
        shown[..., 0].astype(np.uint32) << 16 | shown[..., 1].astype(np.uint32) << 8 | shown[..., 2]
    )
    ids = look_up[codes]
    lost = ids == _UNKNOWN
    if not lost.any():
        return np.asarray(ids, np.uint8)
    found, counts = np.unique(codes[lost], return_counts=True)
    order = np.argsort(-counts)
    listed = [
        ((int(code) >> 16, int(code) >> 8 & 255, int(code) & 255), int(count))
        for code, count in zip(found[order], counts[order], strict=True)
    ]
    shared = [colour for colour, _ in listed if colour in doubtful]
    if unknown == "error" or shared:
        raise SourceError(
            path,
            _described(listed, table, doubtful),
            "mend the table or the mask, or give --unknown ignore|nearest",
            "unknown-colour",
        )
    notes.append(Note("unknown-colour", _described(listed, table, doubtful)))
    nearest = np.array(
        [
            _nearest((int(code) >> 16, int(code) >> 8 & 255, int(code) & 255), table)
            for code in found
        ],
        np.uint16,
    )
    ids[lost] = IGNORE if unknown == "ignore" else nearest[np.searchsorted(found, codes[lost])]
    return np.asarray(ids, np.uint8)


def _described(
    listed: Sequence[tuple[Colour, int]], table: Table, doubtful: Mapping[Colour, tuple[int, ...]]
) -> str:
    parts = []
    for colour, count in listed[:6]:
        meaning = (
            " or ".join(_name(number, table) for number in doubtful.get(colour, ()))
            or f"nearest: {_name(_nearest(colour, table), table)}"
        )
        parts.append(f"{','.join(map(str, colour))} ({count} px, {meaning})")
    return f"{len(listed)} colours are no class, or not one: {', '.join(parts)}" + (
        " …" if len(listed) > 6 else ""
    )


def _nearest(colour: Colour, table: Table) -> int:
    """The id of the colour at the least Euclidean distance."""
    return min(
        table.colours,
        key=lambda row: sum((one - other) ** 2 for one, other in zip(colour, row[0], strict=True)),
    )[1]


def _name(number: int, table: Table) -> str:
    return "ignored" if number == IGNORE else table.classes.names[number]


def voc(known: Classes) -> Table:
    """VOC's colours for *known* classes, and its border colour."""
    colours = image.voc_colors()
    own = [
        ((colours[3 * n], colours[3 * n + 1], colours[3 * n + 2]), n)
        for n in range(len(known.names))
    ]
    return Table(known, (*own, ((224, 224, 192), IGNORE)))


def grey(known: Classes) -> Table:
    """Ids as grey levels: (id, id, id)."""
    return Table(known, tuple(((n, n, n), n) for n in (*range(len(known.names)), IGNORE)))


def flattened(known: Classes) -> Table:
    """What is left of VOC's colours when a palette mask was saved as luminance; several ids may
    share a level.
    """
    rows = [(image.luminance(colour), number) for colour, number in voc(known).colours]
    return Table(known, tuple(((level, level, level), number) for level, number in rows))
