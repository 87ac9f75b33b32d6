"""Palette masks whose files do not agree what an index means.

ImageMagick and writers of PNG-8 order the colors of each file by themselves.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from segprep import engine
from segprep.errors import SourceError, UsageError
from segprep.files import facts, head_below, open_folders, read_below
from segprep.imaging import image, mask_opening, palettes, png
from segprep.packed import Picked
from segprep.packed_items import PathTexts
from segprep.sources._common.classes import color_tables

_MOST_READ, _MOST_COLORS = 200, 24
_HEAD = 4096  # bytes of a PNG that nearly always hold its palette
Color = tuple[int, int, int]


INDEX = "give --palette index"


def check(
    paths: Sequence[Path], roots: tuple[Path, ...], *, jobs: int = 1, otherwise: str = INDEX
) -> None:
    """Raise UsageError (palette-ambiguous) where one color has different indices in two of the
    masks at *paths*. All palettes are compared; of the masks that share one, up to 100 are looked
    at for the colors in use. *otherwise*: what to do if the indices are right all the same, or "".
    """
    by_palette: dict[bytes, list[Path]] = {}
    with open_folders.remembered():
        for number, palette in enumerate(_palettes(PathTexts(paths), roots, jobs)):
            if palette:
                same = by_palette.setdefault(palette, [])
                if len(same) < _MOST_READ:  # more are not looked at
                    same.append(paths[number])
    longest = max(by_palette, key=len, default=b"")
    if all(longest.startswith(palette) for palette in by_palette):
        return
    most = max(2, _MOST_READ // len(by_palette))
    index_of: dict[Color, tuple[int, Path]] = {}
    clash: tuple[Color, tuple[int, Path], tuple[int, Path]] | None = None
    for number, path in enumerate(path for same in by_palette.values() for path in same[:most]):
        if clash and number > _MOST_READ:
            break
        for index, color in _used(path, roots):
            first = index_of.setdefault(color, (index, path))
            if first[0] != index:
                clash = clash or (color, first, (index, path))
    if clash:
        raise _ambiguous(*clash, sorted(index_of), otherwise=otherwise)


def _ambiguous(
    color: Color,
    first: tuple[int, Path],
    other: tuple[int, Path],
    colors: Sequence[Color],
    *,
    otherwise: str,
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
        hint + (f"; or, if the indices are right all the same, {otherwise}" if otherwise else ""),
    )


def _palettes(texts: Sequence[str], roots: tuple[Path, ...], jobs: int) -> Iterator[bytes | None]:
    """The palettes of the files called *texts*; None where one cannot be read, which is told when
    it is converted.
    """
    task = partial(_palette, roots)

    def read(numbers: Sequence[int]) -> Iterator[bytes | None]:
        chosen = Picked(texts, numbers)
        results = engine.run(task, chosen, jobs=jobs) if jobs > 1 else map(task, chosen)
        return (None if isinstance(result, engine.Failure) else result for result in results)

    return facts.all_recalled(texts, read, "")


def _palette(roots: tuple[Path, ...], text: str) -> bytes | None:
    """The palette of a file of indices, trailing repetitions of its last color dropped; else b"",
    as for a GIF whose colors in use are grays other than their indices, which is told by itself.
    None where it cannot be read.
    """
    try:
        return _read_palette(Path(text), roots)
    except SourceError:
        return None


def _read_palette(path: Path, roots: tuple[Path, ...]) -> bytes:
    data = head_below(path, roots, _HEAD)
    if data.startswith(png.SIGNATURE):
        palette = _of_png(data, path, roots)
    else:
        with image.opened(read_below(path, roots), path, 1 << 28) as picture:
            if picture.mode != "P":
                return b""
            colors = palettes.Palette.of(picture)
            if picture.format == "GIF" and palettes.is_gray(colors):
                return b""
            palette = colors.table.tobytes()
    while len(palette) > 3 and palette[-3:] == palette[-6:-3]:
        palette = palette[:-3]
    return palette


def _of_png(head: bytes, path: Path, roots: tuple[Path, ...]) -> bytes:
    """The palette of the PNG that begins with *head*, or b""."""
    if head[25:26] != b"\3":
        return b""
    return _plte(head) or _plte(read_below(path, roots))


def _plte(data: bytes) -> bytes:
    """The palette of a PNG, b"" where *data* end before it."""
    try:
        return next((bytes(body) for kind, body in png.chunks(data) if kind == b"PLTE"), b"")
    except ValueError:
        return b""


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
