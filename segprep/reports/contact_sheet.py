"""A contact sheet: pictures in a grid with their names, as one PNG."""

import io
import math
import unicodedata
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

SIDE, GAP, LINE, MOST = 200, 10, 18, 200


def drawn(pictures: Sequence[tuple[str, Image.Image]]) -> bytes:
    """A PNG of (name, picture); at most MOST of them, taken evenly. A picture's place is SIDE wide
    and high, or as the largest is.
    """
    chosen = [
        pictures[n * len(pictures) // min(MOST, len(pictures))]
        for n in range(min(MOST, len(pictures)))
    ]
    width = max([SIDE, *(picture.width for _, picture in chosen)])
    height = max([SIDE, *(picture.height for _, picture in chosen)])
    columns = max(1, min(8, math.ceil(math.sqrt(len(chosen)))))
    rows = max(1, math.ceil(len(chosen) / columns))
    cell, high = width + GAP, height + LINE + GAP
    page = Image.new("RGB", (GAP + columns * cell, GAP + rows * high), "white")
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(12)
    for n, (name, picture) in enumerate(chosen):
        left, top = GAP + n % columns * cell, GAP + n // columns * high
        x, y = left + (width - picture.width) // 2, top + (height - picture.height) // 2
        page.paste(picture, (x, y))
        pen.text((left, top + height + 2), _fitting(name, width, font), "black", font)
    out = io.BytesIO()
    page.save(out, "PNG")
    return out.getvalue()


def _fitting(name: str, width: int, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """*name* without control characters, its middle cut out if it is too wide."""
    plain = "".join("?" if unicodedata.category(letter)[0] == "C" else letter for letter in name)
    if font.getlength(plain) <= width:
        return plain
    half = len(plain) // 2
    while half > 1 and font.getlength(f"{plain[:half]}…{plain[-half:]}") > width:
        half -= 1
    return f"{plain[:half]}…{plain[-half:]}"
