"""The row filters of PNG, undone (section 9 of https://www.w3.org/TR/png-3/)."""

import re

import numpy as np
from numpy.typing import NDArray

from segprep import kernel

_RUNS = re.compile(rb"(.)\1*", re.DOTALL)  # rows of the same filter
MOST_RUNS, MOST_ROWS = 60, 20  # those of filters 3 and 4 take Python


def unfiltered(rows: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """The pixels of *rows*, each led by its filter's number; None where that is no filter's, and
    without the kernel where many rows need Python, which Pillow does better.
    """
    if kernel.compiled is not None:
        pixels = np.empty((len(rows), rows.shape[1] - 1), np.uint8)
        return pixels if kernel.compiled.unfilter(rows, pixels.shape[1], pixels) else None
    return undone(rows[:, 0].tobytes(), rows[:, 1:])


def undone(kinds: bytes, pixels: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """What :func:`unfiltered` gives of *pixels* (h, w) whose rows have filters of these *kinds*,
    without the kernel.
    """
    if not kinds.strip(b"\0"):
        return pixels
    runs = [match.span() for match in _RUNS.finditer(kinds)]
    if max(kinds) > 4 or len(runs) > MOST_RUNS or kinds.count(3) + kinds.count(4) > MOST_ROWS:
        return None
    pixels = pixels.copy()
    for first, end in runs:
        kind = kinds[first]
        if kind == 1:
            np.add.accumulate(pixels[first:end], 1, None, pixels[first:end])
        elif kind == 2:
            part = pixels[max(first - 1, 0) : end]
            np.add.accumulate(part, 0, None, part)
        elif kind:
            undo = _averaged if kind == 3 else _paeth
            above = pixels[first - 1].tobytes() if first else bytes(pixels.shape[1])
            for row in range(first, end):
                above = undo(pixels[row].tobytes(), above)
                pixels[row] = np.frombuffer(above, np.uint8)
    return pixels


def _averaged(raw: bytes, above: bytes) -> bytes:
    """A row of filter 3: each byte adds the mean of its neighbors left and above."""
    row, left = bytearray(raw), 0
    for column, (value, up) in enumerate(zip(raw, above, strict=True)):
        left = row[column] = (value + (left + up) // 2) & 255
    return bytes(row)


def _paeth(raw: bytes, above: bytes) -> bytes:
    """A row of filter 4: each byte adds whichever of left, above and upper left is nearest to left
    + above - upper left.
    """
    row, left, corner = bytearray(raw), 0, 0
    first = min(len(raw) - len(raw.lstrip(b"\0")), len(above) - len(above.lstrip(b"\0")))
    last = max(len(raw.rstrip(b"\0")), len(above.rstrip(b"\0")) + 1)
    for column in range(first, len(raw)):
        if column > last and not left:
            break  # nothing but zeros follows
        up = above[column]
        near_left, near_up, near_corner = (
            abs(up - corner),
            abs(left - corner),
            abs(left + up - 2 * corner),
        )
        best = (
            left
            if near_left <= near_up and near_left <= near_corner
            else up
            if near_up <= near_corner
            else corner
        )
        left = row[column] = (raw[column] + best) & 255
        corner = up
    return bytes(row)
