"""The part of a mask file that is not black: elsewhere, no filter is undone."""

import numpy as np
from numpy.typing import NDArray

from segprep import kernel
from segprep.imaging import boxes, png
from segprep.imaging.png_filters import unfiltered


def of_png(data: bytes, limit: int) -> tuple[tuple[int, int], int, int, NDArray[np.uint8]] | None:
    """Of what :func:`png.decode` gives: its size (H, W), and top, left and pixels (h, w) of what is
    not 0. None where that gives None.
    """
    rows = png.filtered_rows(data, limit)
    if rows is None:
        return None
    size = rows.shape[0], rows.shape[1] - 1
    if kernel.compiled is not None:
        part = kernel.compiled.lit(rows, size[1])
        if part is None:
            return None
        top, left, height, width, pixels = part
        return size, top, left, np.frombuffer(pixels, np.uint8).reshape(height, width)
    lines = _span(rows, 1)  # around them all is 0, filters too
    columns = _span(rows[lines, 1:], 0)
    columns = slice(columns.start, columns.stop + 1)  # one more, which shows whether it ends there
    drawn = _unfiltered_part(rows[lines], columns)
    if drawn is not None and drawn[:, -1:].any():
        columns = slice(0, size[1])
        drawn = _unfiltered_part(rows[lines], columns)
    if drawn is None:
        return None
    box = boxes.lit(drawn)
    if box is None:
        return size, 0, 0, drawn[:0, :0]
    return size, lines.start + box[0].start, columns.start + box[1].start, drawn[box]


def _span(rows: NDArray[np.uint8], axis: int) -> slice:
    """Outside which all of *rows* is 0 along *axis*."""
    places = np.flatnonzero(rows.any(axis))
    return slice(int(places[0]), int(places[-1]) + 1) if len(places) else slice(0, 0)


def _unfiltered_part(rows: NDArray[np.uint8], columns: slice) -> NDArray[np.uint8] | None:
    """What :func:`unfiltered` gives for some *columns* of pixels; left of them, all are 0."""
    return unfiltered(np.concatenate([rows[:, :1], rows[:, 1:][:, columns]], axis=1))
