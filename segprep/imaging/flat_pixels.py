"""The stream of a flat mask, see :mod:`.flat_stream`, written without the kernel: of pixels, whose
runs nobody knows yet.
"""

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from segprep.imaging.flat_code import LONGEST, Bits, Code
from segprep.imaging.flat_runs import Numbers, Rules, packed

_BAND = 1 << 18  # bytes


def of_pixels(pixels: NDArray[np.uint8], plan: tuple[Rules, Code]) -> bytes | None:
    """The stream of *pixels* (H, W), contiguous; see :func:`.flat_stream.plan`."""
    rules, code = plan
    unlike, checksum = _unlike(pixels)
    parts = _parts(pixels, unlike, rules, code.literals)
    return None if parts is None else packed(code, *parts, checksum)


def _unlike(pixels: NDArray[np.uint8]) -> tuple[Numbers, int]:
    """Where bytes of the rows are not as in the row above, from the second row on; the checksum of
    all. It takes a few rows at a time, which stay in the processor's cache.
    """
    height, width = pixels.shape
    count = max(1, _BAND // width)
    rows = np.zeros((count + 1, width + 1), np.uint8)
    rows[0, 1:] = pixels[0]
    changed = np.zeros(count * (width + 1) // 8 * 8 + 8, np.uint8)
    unlike, checksum = list[Numbers](), 1
    for top in range(0, height, count):
        band = rows[: min(count, height - top) + 1]
        band[1:, 1:] = pixels[top : top + count]
        size = band.size - band.shape[1]
        changed[size:] = 0
        np.bitwise_xor(band[1:], band[:-1], out=changed[:size].reshape(-1, width + 1))
        words = changed.view(np.uint64)
        mixed = np.flatnonzero(words != 0)
        places = np.flatnonzero(words[mixed].view(np.uint8) != 0)
        unlike.append((mixed[places >> 3] << 3) + (places & 7) + top * (width + 1))
        checksum = isal_zlib.adler32(band[1:].data, checksum)
        rows[0] = band[-1]
    return np.concatenate(unlike), checksum


def _parts(
    pixels: NDArray[np.uint8], unlike: Numbers, rules: Rules, literals: Bits
) -> tuple[Bits, Numbers, Numbers] | None:
    """The runs and copies of the rows in order, which are *unlike* the row above in these places:
    what stands for the value of a run, 0 for copies; the bytes besides that; and whether they are
    copied, 0 or 1.
    """
    total = pixels.size + len(pixels)
    begins, sizes, blank = _copies(pixels, unlike, rules)
    firsts, offsets = np.append(0, begins + sizes), np.zeros(len(begins) + 2, np.int64)
    np.cumsum(np.append(begins, total) - firsts, out=offsets[1:])  # of what is not copied
    places = np.repeat(firsts - offsets[:-1], np.diff(offsets)) + np.arange(offsets[-1])
    rows = places // (pixels.shape[1] + 1)
    told = pixels.reshape(-1).take(places - rows - 1, mode="clip")
    told[places == rows * (pixels.shape[1] + 1)] = 0  # filters
    after = np.zeros(len(told), np.bool_)  # a copy
    after[offsets[1:-1][offsets[1:-1] < len(told)]] = True
    breaks = after.copy()
    breaks[0] = True
    breaks[1:] |= told[1:] != told[:-1]
    starts = np.flatnonzero(breaks)
    count = len(starts) + len(begins)
    lead = literals.take(told[starts])
    if count * rules[0] > total or not lead.all():
        return None
    runs = np.arange(len(starts)) + np.cumsum(after).take(starts)
    more, value, copied = np.empty(count, np.int64), np.zeros(count, np.uint64), np.ones(count, int)
    copied[runs] = 0
    copies = np.flatnonzero(copied)
    more[copies], more[runs] = sizes, np.diff(starts, append=len(told)) - 1
    value[runs] = lead
    copied[copies[blank]] = 0
    more[copies[blank]] -= 1
    value[copies[blank]] = literals[0]
    return value, more, copied


def _copies(
    pixels: NDArray[np.uint8], unlike: Numbers, rules: Rules
) -> tuple[Numbers, Numbers, Numbers]:
    """Where copies from the row above begin, how many bytes they are, and which are blank."""
    width = pixels.shape[1] + 1
    bounds = np.concatenate([[width - 1], unlike, [width * len(pixels)]])
    sizes = np.diff(bounds) - 1
    large = np.flatnonzero(sizes >= rules[1])
    begins, sizes = bounds[large] + 1, sizes[large]
    long = np.flatnonzero(sizes >= rules[2] * width)
    above = (begins[long] + sizes[long]) // width - 1  # the last row that is copied as a whole
    rest = sizes % LONGEST
    sizes -= np.where(rest < 3, rest, 0)  # one or two bytes cannot be copied
    return begins, sizes, long[~pixels[above].any(axis=1)]
