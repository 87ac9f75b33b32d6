"""Why masks that pair with images are read by no format: what the masks hold instead of ids, two
brightnesses or a few colors.
"""

import shlex
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from segprep.errors import SegprepError
from segprep.files import read_below
from segprep.imaging import image, lookup, mask_files
from segprep.sources._common.classes.smoothed_colors import SeenColors
from segprep.sources._common.masks import lossy
from segprep.sources._common.pairing import image_folders, matching
from segprep.types import IGNORE

_DARK, _LIGHT = 32, 223  # what JPEG and resizing leave of black and of white
_MOST_COLORS = 256


def reason(root: Path) -> tuple[str, str] | None:
    """What the masks below *root* hold, and what to do; None where no masks pair with images."""
    glimpse = matching.glimpse(root)
    if glimpse is None:
        return None
    folders, masks = glimpse
    names = [path.relative_to(root).as_posix() for path in (folders.images, folders.masks)]
    alone = folders.images != folders.masks and len(image_folders.folders(root)) == 1
    pair = folders.told(root)
    chosen = f" --images {shlex.quote(names[0])} --masks {shlex.quote(names[1])}" * alone
    seen, colored = Counter[int](), False
    for path in masks:
        try:
            data = read_below(path, (root,))
            lossy.refuse(data, path, stated=False)
            histogram = image.histogram(mask_files.values(data, path, []))
        except SegprepError as error:
            if error.code == "mask-is-colour" and (told := _colors(masks, path, root)):
                return f"{pair}, but {told[0]}", told[1]
            return f"{pair}, but {path.name} {getattr(error, 'reason', error.message)}", error.hint
        seen.update(histogram)
        colored = colored or _shows_colors(data, path)
    what = f"the {len(masks)} masks that were tried, {masks[0].name} first,"
    if seen.keys() == {0}:
        hint = f"if the others are not: segprep convert pairs SRC OUT{chosen}"
        return f"{pair}, but {what} are all 0", hint
    if colored and seen.keys() == {0, IGNORE}:  # binary reads no colors, pairs ignores 255
        command = f"segprep convert pairs SRC OUT{chosen} --ids 0=_background_,255=NAME"
        reason = (
            f"hold 0 and 255 of a palette only: 255 ({seen[IGNORE]} px) may be a class, or ignored"
        )
        return f"{pair}, but {what} {reason}", f"if it is a class: {command}"
    return f"{pair}, but {what} hold {_listed(seen)}", _way_out(seen, chosen)


def _shows_colors(data: bytes, path: Path) -> bool:
    """Whether the mask shows colors, as a palette of class colors does."""
    try:
        mask_files.intensity(data, path)
    except SegprepError as error:
        return error.code == "mask-is-colour"
    return False


def _listed(seen: Counter[int]) -> str:
    """The values of *seen* with their pixels, and how many lie between black and white."""
    values = ", ".join(f"{value} ({count} px)" for value, count in seen.most_common(4))
    text = f"{len(seen)} values: {values}" + ", …" * (len(seen) > 4)
    return f"{text}; {_between(seen):.1%} of their pixels are neither dark nor light"


def _between(seen: Counter[int]) -> float:
    """The share of pixels that are neither nearly black nor nearly white."""
    return sum(n for value, n in seen.items() if _DARK < value < _LIGHT) / (seen.total() or 1)


def _way_out(seen: Counter[int], chosen: str) -> str:
    """The command for masks of mostly black and white, else what smeared the values."""
    light = sum(count for value, count in seen.items() if _LIGHT <= value <= 255)
    if light and _between(seen) < 0.5:
        command = f"segprep convert binary SRC OUT{chosen} --foreground light|dark"
        return f"if they are black and white, smeared: {command}; else export them again as PNG"
    return lookup.cause(seen, 0)


def _colors(masks: Sequence[Path], path: Path, root: Path) -> tuple[str, str] | None:
    """What is told where the mask at *path* has more colors than there are classes, and the table
    of those that fill regions in *masks*; None where it has few.
    """
    own, every = SeenColors(), SeenColors()
    for mask in masks:
        with suppress(SegprepError):
            shown = mask_files.colors(read_below(mask, (root,)), mask)
            every.add(shown)
            if mask == path:
                own.add(shown)
    if len(own.counts) <= _MOST_COLORS:
        return None
    listed = ", ".join(
        f"{','.join(map(str, color))} ({count} px)" for color, count in own.counts.most_common(4)
    )
    if _is_cut_out(read_below(path, (root,)), path):
        return (
            f"{path.name} is a picture whose alpha channel hides a part of it",
            "if what it shows is the object: segprep convert alpha"
            f" {shlex.quote(str(path.parent))} OUT",
        )
    nearest = f"segprep convert colormap SRC OUT --table {every.table()} --unknown nearest"
    return (
        f"{path.name} holds {len(own.counts)} colors, too many for classes: {listed}, …",
        "it was resized or saved as JPEG: export the masks again as PNG, without smoothing; or"
        f" take the nearest class: {nearest}",
    )


def _is_cut_out(data: bytes, path: Path) -> bool:
    """Whether the picture has an alpha channel that hides a part of it, not all."""
    if image.header(data, path).mode not in ("RGBA", "LA"):
        return False
    shown = mask_files.cutout(data, path)
    return bool(shown.any() and not shown.all())
