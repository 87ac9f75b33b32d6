"""The part of a mask file that is not black: elsewhere, no filter is undone."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from segprep import kernel
from segprep.imaging import boxes, png
from segprep.imaging.png_filters import undone

_WORD = 8


class LitPart(NamedTuple):
    """Of a mask of this *size* (H, W), *top*, *left* and *pixels* (h, w) of what is not 0: how many
    are *lit*, where they are *white* (255), and how many these are; and of how many *pieces* the
    rows of what is lit are made, between which there is 0.
    """

    size: tuple[int, int]
    top: int
    left: int
    pixels: NDArray[np.uint8]
    lit: int
    white: NDArray[np.bool_]
    whites: int
    pieces: int

    @property
    def plain(self) -> bool:
        """Whether all that is lit is white, and there is any."""
        return 0 < self.lit == self.whites


def of_png(data: bytes, limit: int) -> LitPart | None:
    """Of what :func:`png.decode` gives, the part that is not 0. None where that gives None."""
    deflated = png.deflated(data, limit)
    if deflated is None:
        return None
    height, width, stream = deflated
    if kernel.compiled is not None and (part := kernel.compiled.lit(stream, height, width)):
        top, left, tall, wide, content, lit, whites, pieces = part
        pixels = np.frombuffer(content, np.uint8).reshape(tall, wide)
        return LitPart((height, width), top, left, pixels, lit, pixels == 255, whites, pieces)
    rows = png.inflated_rows(stream, height, width)
    return None if rows is None else _of_rows(rows)


def of_pixels(whole: NDArray[np.uint8]) -> LitPart:
    """The part of *whole* (H, W) that is not 0."""
    return _cut(whole, 0, 0, (whole.shape[0], whole.shape[1]))


def pieces_of(bits: NDArray[np.bool_]) -> int:
    """Of how many pieces the rows of *bits* (h, w) are made, between which there is False."""
    if not bits.size:
        return 0
    first, inner = bits[:, 0], bits[:, 1:] > bits[:, :-1]
    return int(np.count_nonzero(first)) + int(np.count_nonzero(inner))


def _of_rows(rows: NDArray[np.uint8]) -> LitPart | None:
    size = rows.shape[0], rows.shape[1] - 1
    lines = _lines(rows)  # around them all is 0, filters too
    kinds, inner = rows[lines, 0].tobytes(), rows[lines, 1:]
    columns = boxes.span(inner, 0)
    drawn = undone(kinds, inner[:, columns.start : columns.stop + 1])
    if drawn is not None and drawn[:, -1].any():  # it does not end where the bytes do
        columns = slice(0, size[1])
        drawn = undone(kinds, inner)
    return None if drawn is None else _cut(drawn, lines.start, columns.start, size)


def _lines(rows: NDArray[np.uint8]) -> slice:
    """Outside which all *rows* are 0, looked at in words."""
    flat = rows.reshape(-1)
    whole = len(flat) - len(flat) % _WORD
    lit = np.not_equal(flat[:whole].view(np.uint64), 0).tobytes()
    first, end = lit.find(1) * _WORD, (lit.rfind(1) + 1) * _WORD
    if flat[whole:].any():
        first, end = whole if first < 0 else first, len(flat)
    width = rows.shape[1]
    return slice(first // width, -(-end // width)) if end else slice(0, 0)


def _cut(drawn: NDArray[np.uint8], top: int, left: int, size: tuple[int, int]) -> LitPart:
    """The lit part of *drawn*, which lies at *top*, *left* in a mask of this *size*."""
    box = boxes.lit(drawn)
    if box is None:
        nothing = drawn[:0, :0]
        return LitPart(size, 0, 0, nothing, 0, nothing.astype(np.bool_), 0, 0)
    pixels = drawn[box]
    white, lit = pixels == 255, int(np.count_nonzero(pixels))
    whites = int(np.count_nonzero(white))
    pieces = pieces_of(white if lit == whites else pixels > 0)
    return LitPart(
        size, top + box[0].start, left + box[1].start, pixels, lit, white, whites, pieces
    )
