"""One picture of the items that differ most: image, first mask, second mask, difference."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from segprep.dataset.tree import Tree
from segprep.files import read_below
from segprep.imaging import image
from segprep.imaging.image import voc_colors
from segprep.verification.comparison import CompareItem, Difference, names_of

SIDE, MARGIN, LINE = 240, 8, 18
_RED, _PALE = (200, 30, 30), (225, 225, 225)
Row = tuple[str, list[Image.Image]]


def sheet(difference: Difference, *, most: int = 12) -> bytes:
    """A PNG with a row for each of the *most* items whose masks differ in most pixels.

    Items whose masks have different sizes are not drawn. Raises SourceError.
    """
    left, right = Tree(difference.first), Tree(difference.second)
    compare = CompareItem(left, right, *names_of(left, right))
    drawn = [item for item in difference.items if item.pixels]
    drawn.sort(key=lambda item: (-(item.pixels or 0), item.stem))
    rows = [(f"{item.stem}: {item.reason}", _panels(compare, item.stem)) for item in drawn[:most]]
    return _drawn(
        rows, f"{difference.first.name} | {difference.second.name}: {len(drawn)} masks differ"
    )


def _panels(compare: CompareItem, stem: str) -> list[Image.Image]:
    """Image, first mask, second mask, and what differs in red; each fits SIDE x SIDE."""
    masks = [_colored(side.mask(stem)) for side in (compare.left, compare.right)]
    wrong = np.where(compare.differs(stem)[..., None], _RED, _PALE).astype(np.uint8)
    panels = [_small(array, Image.Resampling.NEAREST) for array in (*masks, wrong)]
    photo = _photo(compare.left, stem)
    return panels if photo is None else [_small(photo, Image.Resampling.BILINEAR), *panels]


def _colored(mask: NDArray[Any]) -> NDArray[np.uint8]:
    """*mask* (H, W) in VOC's colors, (H, W, 3)."""
    table = np.frombuffer(voc_colors(), np.uint8).reshape(256, 3)
    return table[mask.astype(np.int64) % 256]


def _photo(side: Tree, stem: str) -> NDArray[np.uint8] | None:
    path = side.image_path(stem)
    if path is None:
        return None
    root = side.root.resolve()
    data = read_below(root / path.relative_to(side.root), (root,))
    return image.pixels(data, path)


def _small(array: NDArray[np.uint8], how: Image.Resampling) -> Image.Image:
    height, width = array.shape[:2]
    scale = min(SIDE / width, SIDE / height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return Image.fromarray(array).resize(size, how)


def _drawn(rows: Sequence[Row], title: str) -> bytes:
    """*rows* below each other, with their titles."""
    font = ImageFont.load_default(13)
    columns = max((len(panels) for _, panels in rows), default=4)
    height = 2 * MARGIN + LINE + len(rows) * (LINE + SIDE + MARGIN)
    page = Image.new("RGB", (MARGIN + columns * (SIDE + MARGIN), height), "white")
    pen = ImageDraw.Draw(page)
    pen.text((MARGIN, MARGIN), _plain(title), "black", font)
    for n, (words, panels) in enumerate(rows):
        top = 2 * MARGIN + LINE + n * (LINE + SIDE + MARGIN)
        pen.text((MARGIN, top), _plain(words), "black", font)
        for column, panel in enumerate(panels):
            page.paste(panel, (MARGIN + column * (SIDE + MARGIN), top + LINE))
    out = io.BytesIO()
    page.save(out, "PNG")
    return out.getvalue()


def _plain(text: str) -> str:
    """What the built-in font can draw: other characters become ?."""
    return "".join(c if c.isprintable() and ord(c) < 0x250 else "?" for c in text)
