"""The zlib stream of a flat mask (RFC 1950, RFC 1951): what is as in the row above is copied from
there, all else are runs of one value. Rows are led by filter 0.

Any reader inflates that in half the time that repeats of the last byte take: what is copied was
written long before. One code serves all masks with the same values. So the kernel writes a stream
in one pass over the pixels, and NumPy, all its parts at a time, the same bytes.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from segprep import kernel
from segprep.imaging.flat_code import Code, code_of

_LARGE = 1 << 16  # pixels; smaller masks are written faster, and as small, by ISA-L
_SHORTEST = 16  # mean length of the parts of a flat mask
_COPIED = 8  # bytes that are worth a copy
_BLANK = 4  # rows of zeros that are a run: its repeats take a third of the bits of copies
_NARROW, _WIDE = 16, 32_767  # pixels of a row
_latest: list[tuple[NDArray[np.uint8], bytes, bytes | None]] = []  # painted, and written next


def stream(pixels: NDArray[np.uint8], values: Iterable[int]) -> bytes | None:
    """The stream of *pixels* (H, W), in which these *values* occur; None where others do, and of a
    mask that is small, not flat, or too narrow or wide.
    """
    latest, values = _latest.pop() if _latest else None, bytes(sorted({0, *values}))
    if latest and latest[0] is pixels and latest[1] == values:
        return latest[2]
    told = plan(pixels.shape, values)
    if told is None:
        return None
    pixels = np.ascontiguousarray(pixels)
    if kernel.compiled is not None:
        return kernel.compiled.deflate(pixels, pixels.shape[1], told)
    from segprep.imaging import flat_pixels

    return flat_pixels.of_pixels(pixels, told)


def plan(shape: tuple[int, ...], values: bytes) -> tuple[tuple[int, int, int], Code] | None:
    """What it takes to write a mask of *shape* (H, W) with these *values*, in order: rules and
    code. None where a stream would be no gain.
    """
    if shape[0] * shape[1] < _LARGE or not _NARROW <= shape[1] <= _WIDE:
        return None
    return (_SHORTEST, _COPIED, _BLANK), code_of(values, shape[1] + 1)


def remember(mask: NDArray[np.uint8], values: bytes, body: bytes | None) -> None:
    """*mask*, which nobody can change any more, has the stream *body* if it has these *values*."""
    mask.setflags(write=False)
    _latest[:] = [(mask, values, body)]
