"""Pictures of colors as class ids, and what becomes of colors of no class."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segprep.errors import SourceError
from segprep.imaging import blends
from segprep.sources._common.classes.color_rows import Color
from segprep.sources._common.classes.color_tables import ColorTable
from segprep.types import IGNORE, Note, Outcome, Unpainted

_UNKNOWN = 65_535
_SMEARED = 64  # more colors than this without a class are not labels, but JPEG or resizing


@cache
def _look_up(
    colors: tuple[tuple[Color, int], ...],
) -> tuple[NDArray[np.uint16], Mapping[Color, tuple[int, ...]]]:
    """id by 24-bit color, and the colors that stand for several ids."""
    table = np.full(1 << 24, _UNKNOWN, np.uint16)
    meanings: dict[Color, tuple[int, ...]] = {}
    for color, number in colors:
        meanings[color] = tuple(dict.fromkeys((*meanings.get(color, ()), number)))
        table[color[0] << 16 | color[1] << 8 | color[2]] = (
            number if len(meanings[color]) == 1 else _UNKNOWN
        )
    return table, {color: ids for color, ids in meanings.items() if len(ids) > 1}


@dataclass(frozen=True, slots=True, eq=False)
class DecodedColors:
    """A colored mask as *ids* (H, W), *notes* on colors without a class, and what became of each of
    these (*unpainted*).
    """

    ids: NDArray[np.uint8]
    notes: tuple[Note, ...] = ()
    unpainted: tuple[Unpainted, ...] = ()


def decoded(
    shown: NDArray[np.uint8], table: ColorTable, path: Path, unknown: str = "error"
) -> DecodedColors:
    """*shown* (H, W, 3) as ids (H, W).

    Colors without a class: *unknown* = error, ignore (255) or nearest. Raises SourceError, which
    counts them.
    """
    look_up, doubtful = _look_up(table.colors)
    codes = (
        shown[..., 0].astype(np.uint32) << 16 | shown[..., 1].astype(np.uint32) << 8 | shown[..., 2]
    )
    ids = look_up[codes]
    lost = ids == _UNKNOWN
    if not lost.any():
        return DecodedColors(np.asarray(ids, np.uint8))
    strange, counts = np.unique(codes[lost], return_counts=True)
    order = np.argsort(-counts, kind="stable")
    listed = [
        ((int(code) >> 16, int(code) >> 8 & 255, int(code) & 255), int(count))
        for code, count in zip(strange[order], counts[order], strict=True)
    ]
    shared = [color for color, _ in listed if color in doubtful]
    if unknown == "error" or shared:
        hint = "fix the table or the mask, or give --unknown ignore|nearest"
        if blends.find(shown).blends:
            hint = "the mask was smoothed: export it unsmoothed, or give --unknown nearest"
        raise SourceError(path, _described(listed, table, doubtful), hint, "unknown-colour")
    nearest = np.array(
        [
            _nearest((int(code) >> 16, int(code) >> 8 & 255, int(code) & 255), table)
            for code in strange
        ],
        np.uint16,
    )
    ids[lost] = IGNORE if unknown == "ignore" else nearest[np.searchsorted(strange, codes[lost])]
    note = Note("unknown-colour", _described(listed, table, doubtful))
    return DecodedColors(np.asarray(ids, np.uint8), (note,), _unpainted(listed, unknown))


def _unpainted(listed: Sequence[tuple[Color, int]], unknown: str) -> tuple[Unpainted, ...]:
    """A row per color, or one for all where there are so many that they are smeared ones."""
    outcome: Outcome = "ignored" if unknown == "ignore" else "nearest"
    if len(listed) > _SMEARED:
        return (Unpainted("other colors", 0, sum(count for _, count in listed), outcome),)
    return tuple(
        Unpainted(f"color {','.join(map(str, color))}", 0, count, outcome)
        for color, count in sorted(listed)
    )


def _described(
    listed: Sequence[tuple[Color, int]],
    table: ColorTable,
    doubtful: Mapping[Color, tuple[int, ...]],
) -> str:
    parts = []
    for color, count in listed[:6]:
        meaning = (
            " or ".join(_name(number, table) for number in doubtful.get(color, ()))
            or f"nearest: {_name(_nearest(color, table), table)}"
        )
        parts.append(f"{','.join(map(str, color))} ({count} px, {meaning})")
    return f"{len(listed)} colors belong to no class, or not to one: {', '.join(parts)}" + (
        " …" if len(listed) > 6 else ""
    )


def _nearest(color: Color, table: ColorTable) -> int:
    """The id of the color at the least Euclidean distance."""
    return min(
        table.colors,
        key=lambda row: sum((part - other) ** 2 for part, other in zip(color, row[0], strict=True)),
    )[1]


def _name(number: int, table: ColorTable) -> str:
    return "ignored" if number == IGNORE else table.classes.names[number]
