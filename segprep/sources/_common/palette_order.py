"""Palette masks whose files do not agree what an index means.

ImageMagick and writers of PNG-8 order the colors of each file by themselves.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from segprep.errors import SourceError, UsageError
from segprep.files import read_below
from segprep.imaging import image, mask_opening, png
from segprep.sources._common import color_tables

_MOST_FILES, _MOST_COLORS = 200, 24
Color = tuple[int, int, int]


def check(paths: Sequence[Path], roots: tuple[Path, ...], *, option: bool = True) -> None:
    """Raise UsageError (palette-ambiguous) where one color has different indices in two of the
    masks at *paths* (up to 200 of them are looked at, spread over all). *option*: the format has
    --palette.
    """
    step = max(1, len(paths) // _MOST_FILES)
    by_palette: dict[bytes, list[Path]] = {}
    for path in paths[::step]:
        try:
            palette = _palette(read_below(path, roots), path)
        except SourceError:
            continue  # told when it is converted
        if palette:
            by_palette.setdefault(palette, []).append(path)
    longest = max(by_palette, key=len, default=b"")
    if all(longest.startswith(palette) for palette in by_palette):
        return
    index_of: dict[Color, tuple[int, Path]] = {}
    clash: tuple[Color, tuple[int, Path], tuple[int, Path]] | None = None
    for members in by_palette.values():
        for path in members[:2]:
            for index, color in _used(path, roots):
                first = index_of.setdefault(color, (index, path))
                if first[0] != index:
                    clash = clash or (color, first, (index, path))
    if clash:
        raise _ambiguous(*clash, sorted(index_of), option=option)


def _ambiguous(
    color: Color,
    first: tuple[int, Path],
    other: tuple[int, Path],
    colors: Sequence[Color],
    *,
    option: bool,
) -> UsageError:
    shown = ",".join(map(str, color))
    table = "; ".join(color_tables.proposed(dict.fromkeys(colors, 1)))
    hint = f"convert by color, with names of your own: segprep convert colormap --table '{table};'"
    if len(colors) > _MOST_COLORS:
        hint = "convert by color: segprep convert colormap SRC OUT --table FILE"
    return UsageError(
        "palette-ambiguous",
        f"the color {shown} has index {first[0]} in {first[1].name} but {other[0]} in"
        f" {other[1].name}:"
        " the palettes are in different orders, so indices are not class ids",
        hint + ("; or, if the indices are right all the same, give --palette index" * option),
    )


def _palette(data: bytes, path: Path) -> bytes:
    """The palette of a file of indices, trailing repetitions of its last color dropped; else b"".
    GIF writers order palettes anyhow, so GIFs are told elsewhere.
    """
    if data.startswith(png.SIGNATURE):
        if data[25:26] != b"\3":
            return b""
        try:
            palette = next((bytes(body) for kind, body in png.chunks(data) if kind == b"PLTE"), b"")
        except ValueError:
            return b""
    else:
        with image.opened(data, path, 1 << 28) as picture:
            indexed = picture.mode == "P" and picture.format != "GIF"
            palette = bytes(picture.getpalette("RGB") or b"") if indexed else b""
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
    colors = {
        index: tuple(table[index].tolist()) for index in indices[indices < len(table)].tolist()
    }
    counts = Counter(colors.values())
    for index, (red, green, blue) in colors.items():
        if counts[red, green, blue] == 1:  # twice in one palette says nothing
            yield index, (red, green, blue)
