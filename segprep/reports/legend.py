"""The strip below a picture that says which color is which class."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

MARGIN, LINE = 10, 18
MOST = 60  # classes that a legend lists
Color = tuple[int, int, int]
Entry = tuple[int, str, Color]  # x, text, color
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def with_legend(
    shown: NDArray[np.uint8], names: Sequence[str], palette: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """*shown* (H, W, 3), below it a strip of all *names* in the colors of *palette* (256, 3)."""
    width, font = shown.shape[1], ImageFont.load_default(13)
    rows = legend_rows(range(len(names)), names, palette, font, width - 2 * MARGIN)
    strip = Image.new("RGB", (width, LINE * len(rows) + MARGIN), "white")
    pen = ImageDraw.Draw(strip)
    for n, row in enumerate(rows):
        draw_row(pen, row, MARGIN // 2 + n * LINE, font)
    return np.concatenate([shown, np.asarray(strip)])


def legend_rows(
    ids: Sequence[int], names: Sequence[str], palette: NDArray[np.uint8], font: Font, width: int
) -> list[list[Entry]]:
    """The entries of the classes *ids*, in rows of up to *width* pixels."""
    rows: list[list[Entry]] = [[]]
    at = 0
    for class_id in ids[:MOST]:
        name = names[class_id]
        text = drawable(f"{class_id} {name}" if name != str(class_id) else name)[:32]
        need = 20 + round(font.getlength(text)) + 14
        if at and at + need > width:
            rows.append([])
            at = 0
        red, green, blue = palette[class_id % 256].tolist()
        rows[-1].append((at, text, (red, green, blue)))
        at += need
    return rows


def draw_row(pen: ImageDraw.ImageDraw, row: Sequence[Entry], top: int, font: Font) -> None:
    """Boxes of color with their names, from *top* on."""
    for at, text, color in row:
        pen.rectangle((MARGIN + at, top + 2, MARGIN + at + 12, top + 14), color, "black")
        pen.text((MARGIN + at + 18, top), text, "black", font)


def drawable(text: str) -> str:
    """What the built-in font can draw: other characters become ?."""
    return "".join(c if c.isprintable() and ord(c) < 0x250 else "?" for c in text)
