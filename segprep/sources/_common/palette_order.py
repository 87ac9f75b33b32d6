"""Palette masks whose files do not agree what an index means.

ImageMagick and writers of PNG-8 order the colors of each file by themselves.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from segprep.errors import SourceError, UsageError
from segprep.files import read_below
from segprep.imaging import mask_opening, png

_MOST_FILES = 200
Color = tuple[int, int, int]


def check(paths: Sequence[Path], roots: tuple[Path, ...]) -> None:
    """Raise UsageError (palette-ambiguous) where one color has different indices in two of the PNG
    masks at *paths* (up to 200 of them are looked at, spread over all).
    """
    step = max(1, len(paths) // _MOST_FILES)
    by_palette: dict[bytes, list[Path]] = {}
    for path in paths[::step]:
        try:
            palette = _palette(read_below(path, roots))
        except SourceError:
            continue  # told when it is converted
        if palette:
            by_palette.setdefault(palette, []).append(path)
    longest = max(by_palette, key=len, default=b"")
    if all(longest.startswith(palette) for palette in by_palette):
        return
    index_of: dict[Color, tuple[int, Path]] = {}
    for members in by_palette.values():
        for path in members[:2]:
            for index, color in _used(path, roots):
                first, where = index_of.setdefault(color, (index, path))
                if first != index:
                    raise _ambiguous(color, (first, where), (index, path))


def _ambiguous(color: Color, one: tuple[int, Path], other: tuple[int, Path]) -> UsageError:
    shown = ",".join(map(str, color))
    return UsageError(
        "palette-ambiguous",
        f"the color {shown} has index {one[0]} in {one[1].name} but {other[0]} in {other[1].name}:"
        " the palettes are in different orders, so indices are not class ids",
        "convert by color: segprep convert colormap SRC OUT --table FILE; or, if the indices are"
        " right all the same, give --palette index",
    )


def _palette(data: bytes) -> bytes:
    """The palette of an indexed PNG, trailing repetitions of its last color dropped; else b""."""
    if not data.startswith(png.SIGNATURE) or data[25:26] != b"\3":
        return b""
    try:
        palette = next((bytes(body) for kind, body in png.chunks(data) if kind == b"PLTE"), b"")
    except ValueError:
        return b""
    while len(palette) > 3 and palette[-3:] == palette[-6:-3]:
        palette = palette[:-3]
    return palette


def _used(path: Path, roots: tuple[Path, ...]) -> Iterator[tuple[int, Color]]:
    """Index and color of what occurs in the mask."""
    try:
        with mask_opening.opened(read_below(path, roots), path, 1 << 28) as picture:
            table = np.frombuffer(bytes(picture.getpalette("RGB") or b""), np.uint8).reshape(-1, 3)
            indices = np.unique(np.asarray(picture))
    except SourceError:
        return
    for index in indices[indices < len(table)].tolist():
        red, green, blue = table[index].tolist()
        yield index, (red, green, blue)
