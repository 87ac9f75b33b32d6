"""One image with what is wrong in it: image | truth | prediction | difference, with a legend of the
classes that occur.
"""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from segprep.imaging.image import voc_colors
from segprep.reports.legend import LINE, MARGIN, draw_row, drawable, legend_rows

PANEL = 420  # pixels that a panel may be wide or high
RIGHT, WRONG, IGNORED = (225, 225, 225), (200, 30, 30), (120, 120, 120)
_STRIPE = (200, 200, 200)
PALETTE = np.frombuffer(voc_colors(), np.uint8).reshape(256, 3)
Names = Sequence[str]


def picture(
    shown: NDArray[np.uint8] | None,
    truth: NDArray[Any],
    pred: NDArray[Any],
    names: Names,
    ignore: int | None,
    title: str,
) -> bytes:
    """A PNG. *shown* is the image (H, W, 3) or None, *truth* and *pred* are (H, W). Ignored pixels
    are striped gray, in the prediction too.
    """
    dropped = _dropped(truth, ignore)
    beside = panels(shown, truth, pred, ignore)
    height, width = truth.shape
    scale = min(PANEL / width, PANEL / height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    ids = [n for n in np.union1d(truth[~dropped], pred[~dropped]).tolist() if 0 <= n < len(names)]
    font = ImageFont.load_default(13)
    full = MARGIN + len(beside) * (size[0] + MARGIN)
    rows = legend_rows(ids, names, PALETTE, font, full - 2 * MARGIN)
    sheet = Image.new(
        "RGB", (full, 2 * MARGIN + 2 * LINE + size[1] + MARGIN + LINE * len(rows)), "white"
    )
    pen = ImageDraw.Draw(sheet)
    pen.text((MARGIN, MARGIN), drawable(title), "black", font)
    for n, (name, pixels) in enumerate(beside):
        left = MARGIN + n * (size[0] + MARGIN)
        pen.text((left, MARGIN + LINE), name, "black", font)
        how = Image.Resampling.LANCZOS if name == "image" else Image.Resampling.NEAREST
        sheet.paste(Image.fromarray(pixels).resize(size, how), (left, MARGIN + 2 * LINE))
    for n, row in enumerate(rows):
        draw_row(pen, row, 2 * MARGIN + 2 * LINE + size[1] + n * LINE, font)
    out = io.BytesIO()
    sheet.save(out, "PNG")
    return out.getvalue()


def panels(
    shown: NDArray[np.uint8] | None, truth: NDArray[Any], pred: NDArray[Any], ignore: int | None
) -> list[tuple[str, NDArray[np.uint8]]]:
    """What stands side by side, (name, (H, W, 3)): the image if there is one, truth, prediction
    and difference.
    """
    dropped = _dropped(truth, ignore)
    drawn = [
        ("truth", colored(truth, dropped)),
        ("prediction", colored(pred, dropped)),
        ("difference", difference((truth != pred) & ~dropped, dropped)),
    ]
    return drawn if shown is None else [("image", shown), *drawn]


def _dropped(truth: NDArray[Any], ignore: int | None) -> NDArray[np.bool_]:
    return truth == ignore if ignore is not None else np.zeros(truth.shape, np.bool_)


def colored(labels: NDArray[Any], dropped: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """*labels* (H, W) in VOC's colors, (H, W, 3); *dropped* pixels striped."""
    pixels = PALETTE[np.asarray(labels, np.int64) % 256]
    pixels[dropped] = stripes(labels.shape)[dropped]
    return pixels


def stripes(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Diagonal stripes of two grays, (H, W, 3)."""
    height, width = shape
    dark = (
        (np.arange(height)[:, None] + np.arange(width)[None]) // max(3, max(shape) // 80)
    ) % 2 == 0
    return np.where(dark[..., None], np.array(IGNORED, np.uint8), np.array(_STRIPE, np.uint8))


def difference(wrong: NDArray[np.bool_], dropped: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Red where *wrong* (H, W), light gray where right, striped where *dropped*; (H, W, 3)."""
    pixels = np.where(wrong[..., None], np.array(WRONG, np.uint8), np.array(RIGHT, np.uint8))
    pixels[dropped] = stripes(wrong.shape)[dropped]
    return pixels
