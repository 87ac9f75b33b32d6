"""The row filters of PNG, undone (section 9 of https://www.w3.org/TR/png-3/)."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from segprep import kernel


def unfiltered(rows: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """The pixels of *rows*, each led by its filter's number; None where that is no filter's, and
    without the kernel where many rows need Python, which Pillow does better.
    """
    if kernel.compiled is not None:
        pixels = np.empty((len(rows), rows.shape[1] - 1), np.uint8)
        return pixels if kernel.compiled.unfilter(rows, pixels.shape[1], pixels) else None
    kinds, pixels = rows[:, 0], rows[:, 1:]
    if not kinds.any():
        return pixels
    starts = [0, *(np.flatnonzero(kinds[1:] != kinds[:-1]) + 1).tolist(), len(rows)]
    if kinds.max() > 4 or len(starts) > 60 or np.count_nonzero(kinds > 2) > 20:
        return None
    pixels = pixels.copy()
    for first, end in pairwise(starts):
        if kinds[first] == 1:
            np.add.accumulate(pixels[first:end], 1, np.uint8, pixels[first:end])
        elif kinds[first] == 2:
            first = max(first - 1, 0)  # noqa: PLW2901
            np.add.accumulate(pixels[first:end], 0, np.uint8, pixels[first:end])
        elif kinds[first] > 2:
            for row in range(first, end):
                above = pixels[row - 1] if row else np.zeros_like(pixels[0])
                pixels[row] = np.frombuffer(
                    (_averaged if kinds[first] == 3 else _paeth)(
                        pixels[row].tobytes(), above.tobytes()
                    ),
                    np.uint8,
                )
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
