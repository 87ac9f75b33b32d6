"""The zlib stream of a flat mask (RFC 1950, RFC 1951): what is as in the row above is copied from
there, all else are runs of one value. Rows are led by filter 0.

Any reader inflates that in half the time that repeats of the last byte take: what is copied was
written long before. One code serves all masks with the same values: half of it are these, an eighth
is the longest copy, the rest are shorter ones. So the kernel writes a stream in one pass over the
pixels, and NumPy, all its parts at a time, the same bytes.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from segprep import kernel

_LARGE = 1 << 16  # pixels; smaller masks are written faster, and as small, by ISA-L
_SHORTEST = 16  # mean length of the parts of a flat mask
_COPIED = 8  # bytes that are worth a copy
_BLANK = 4  # rows of zeros that are a run: its repeats take a third of the bits of copies
_BAND = 1 << 18  # bytes
_NARROW, _WIDE = 16, 32_767  # pixels of a row
_LONGEST, _END, _WHOLE = 258, 256, 285  # bytes that one copy makes; symbols
_LENGTHS = (*range(3, 11), *(3 + (part << power) for power in range(1, 6) for part in range(4, 8)))
_EXTRA = (*[0] * 8, *[1] * 4, *[2] * 4, *[3] * 4, *[4] * 4, *[5] * 4, 0)  # bits of these
_RARE = range(_END, 266)  # symbols of seven bits: the end, and copies of 3 to 11 bytes
_ORDER = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)
_STEPS = (1, 2, 3, 4, *(1 + (half << power) for power in range(1, 14) for half in (2, 3)))
_ONE, _FIVE, _COUNT = np.uint64(1), np.uint64(5), np.uint64(31)
_THRICE = 3 * _LONGEST
_FEW = np.isin(np.arange(_THRICE) % _LONGEST, (1, 2))
Numbers = NDArray[np.int64]
Bits = NDArray[np.uint64]
_latest: list[tuple[NDArray[np.uint8], bytes, bytes | None]] = []  # painted, and written next


class Code(NamedTuple):
    """How a stream begins (*head*, of *size* bits), and what stands for each value (256,), for each
    length of repeats and of copies (2, 259), and for the end: 32 * bits + their number, 0 for none.
    """

    head: bytes
    size: int
    literals: Bits
    lengths: Bits
    end: int


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
    pixels, (_, code) = np.ascontiguousarray(pixels), told
    if kernel.compiled is not None:
        return kernel.compiled.deflate(pixels, pixels.shape[1], told)
    unlike, checksum = _unlike(pixels)
    parts = _parts(pixels, unlike, code.literals)
    if parts is None:
        return None
    return _packed(code, *_bits(*parts, code.lengths)) + checksum.to_bytes(4)


def plan(shape: tuple[int, ...], values: bytes) -> tuple[tuple[int, int, int], Code] | None:
    """What the kernel needs to write a mask of *shape* (H, W) with these *values*, in order: rules
    and code. None where a stream would be no gain.
    """
    if shape[0] * shape[1] < _LARGE or not _NARROW <= shape[1] <= _WIDE:
        return None
    return (_SHORTEST, _COPIED, _BLANK), _code(values, shape[1] + 1)


def remember(mask: NDArray[np.uint8], values: bytes, body: bytes | None) -> None:
    """*mask*, which nobody can change any more, has the stream *body* if it has these *values*."""
    mask.setflags(write=False)
    _latest[:] = [(mask, values, body)]


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
    pixels: NDArray[np.uint8], unlike: Numbers, literals: Bits
) -> tuple[Bits, Numbers, Numbers] | None:
    """The runs and copies of the rows in order, which are *unlike* the row above in these places:
    what stands for the value of a run, 0 for copies; the bytes besides that; and whether they are
    copied, 0 or 1.
    """
    total = pixels.size + len(pixels)
    begins, sizes, blank = _copies(pixels, unlike)
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
    if count * _SHORTEST > total or not lead.all():
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


def _copies(pixels: NDArray[np.uint8], unlike: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Where copies from the row above begin, how many bytes they are, and which are blank."""
    width = pixels.shape[1] + 1
    bounds = np.concatenate([[width - 1], unlike, [width * len(pixels)]])
    sizes = np.diff(bounds) - 1
    large = np.flatnonzero(sizes >= _COPIED)
    begins, sizes = bounds[large] + 1, sizes[large]
    long = np.flatnonzero(sizes >= _BLANK * width)
    above = (begins[long] + sizes[long]) // width - 1  # the last row that is copied as a whole
    rest = sizes % _LONGEST
    sizes -= np.where(rest < 3, rest, 0)  # one or two bytes cannot be copied
    return begins, sizes, long[~pixels[above].any(axis=1)]


def _bits(value: Bits, more: Numbers, copied: Numbers, lengths: Bits) -> tuple[Bits, Bits]:
    """The bits of :func:`_parts`, up to 64 together, and their numbers."""
    table = _short_lengths(lengths.tobytes())
    thirds = more // _THRICE
    which = more - thirds * _THRICE
    few = np.flatnonzero(_FEW.take(which))  # one or two more of a run are told one by one
    tails, added = table.take(which + copied * _THRICE, axis=1)
    bits, sizes = value >> _FIVE, value & _COUNT
    if few.size:
        size, twice = sizes[few], (which[few] % _LONGEST == 2).astype(np.uint64)
        tails[few] = tails[few] << (size << twice) | bits[few] | (bits[few] << size) * twice
        added[few] += size << twice
    bits |= tails << sizes
    sizes += added
    if not thirds.any():
        return bits, sizes
    heads = np.cumsum(thirds) - thirds + np.arange(len(thirds))
    kinds = np.repeat(copied, thirds + 1)
    all_bits, all_sizes = table[:, 2 * _THRICE :].take(kinds, axis=1)
    all_bits[heads], all_sizes[heads] = bits, sizes
    return all_bits, all_sizes


@lru_cache(64)
def _short_lengths(lengths: bytes) -> Bits:
    """The bits of repeats of 0 to _THRICE - 1 bytes, and of as many copied bytes; behind these, of
    _THRICE of both; and their numbers: (2, 2 * _THRICE + 2). One and two bytes have none.
    """
    entries = np.frombuffer(lengths, np.uint64).reshape(2, -1).tolist()
    table = np.zeros((2, 2 * _THRICE + 2), np.uint64)
    for copied in (0, 1):
        for length in range(_THRICE + 1):
            bits = size = 0
            for part in (length % _LONGEST, *[_LONGEST] * (length // _LONGEST)):
                bits |= entries[copied][part] >> 5 << size
                size += entries[copied][part] & 31
            at = copied * _THRICE + length if length < _THRICE else 2 * _THRICE + copied
            table[:, at] = bits, size
    return table


def _packed(code: Code, bits: Bits, sizes: Bits) -> bytes:
    """The head, *bits* of these *sizes* and the end, one behind the other."""
    bits = np.append(bits, np.uint64(code.end >> 5))
    ends = np.cumsum(np.append(sizes, np.uint64(code.end & 31))).astype(np.int64) + code.size
    begins = np.append(code.size, ends[:-1])
    words = np.zeros(int(ends[-1]) // 64 + len(code.head) // 8 + 2, "<u8")
    words.view(np.uint8)[: len(code.head)] = np.frombuffer(code.head, np.uint8)
    number, shift = begins >> 6, (begins & 63).astype(np.uint64)
    firsts = np.flatnonzero(np.diff(number, prepend=-1))
    words[number[firsts]] |= np.bitwise_or.reduceat(bits << shift, firsts)
    over = np.flatnonzero(ends >> 6 > number)
    words[number[over] + 1] |= (bits[over] >> _ONE) >> (np.uint64(63) - shift[over])
    return words.tobytes()[: -(-int(ends[-1]) // 8)]


@lru_cache(256)
def _code(values: bytes, distance: int) -> Code:
    """The code of masks with these *values*, in order, whose rows are *distance* bytes."""
    step = bisect_right(_STEPS, distance) - 1
    codes, lengths = _codes(len(values), distance)
    literals = np.zeros(256, np.uint64)
    literals[np.frombuffer(values, np.uint8)] = codes[: len(values)]
    told = [0] * 256
    for value, entry in zip(values, codes, strict=False):
        told[value] = entry & 31
    others = [entry & 31 for entry in codes[len(values) :]]
    head, size = _head(step, [*told, *others, 1, *[0] * (step - 1), 1])
    return Code(head.to_bytes(-(-size // 8), "little"), size, literals, lengths, codes[len(values)])


@lru_cache(64)
def _codes(count: int, distance: int) -> tuple[list[int], Bits]:
    """What stands for *count* values and the symbols behind them, and for lengths, see Code."""
    least = count.bit_length() - 1
    sizes = [least + 1 + (at >= (2 << least) - count) for at in range(count)]
    sizes += [7 if symbol in _RARE else 6 for symbol in range(_END, _WHOLE)]
    codes, step = _canonical([*sizes, 3]), bisect_right(_STEPS, distance) - 1
    back = 1 | distance - _STEPS[step] << 1, 1 + max(0, step // 2 - 1)
    lengths = np.zeros((2, _LONGEST + 1), np.uint64)
    for length in range(3, _LONGEST + 1):
        at = bisect_right(_LENGTHS, length) - 1 if length < _LONGEST else len(_LENGTHS)
        entry, extra = codes[count + 1 + at], _EXTRA[at]
        bits, size = entry >> 5, (entry & 31) + extra
        bits |= (length - _LENGTHS[at] if extra else 0) << (entry & 31)
        lengths[:, length] = bits << 5 | size + 1, (bits | back[0] << size) << 5 | size + back[1]
    return codes, lengths


def _canonical(sizes: Sequence[int]) -> list[int]:
    """Of symbols whose codes have these *sizes*, 32 * their bits, the first one lowest, + their
    number; 0 where that is 0.
    """
    codes, number, before = [0] * len(sizes), 0, 0
    for size, symbol in sorted((size, symbol) for symbol, size in enumerate(sizes) if size):
        number <<= size - before
        codes[symbol] = int(f"{number:0{size}b}"[::-1], 2) << 5 | size
        number, before = number + 1, size
    return codes


_OF_LENGTHS = _canonical((3, 4, 4, 4, 4, 4, 3, 3, 4, 4, *[0] * 7, 4, 3))


def _head(step: int, told: Sequence[int]) -> tuple[int, int]:
    """The bits with which a stream begins, and their number: what it is, and the sizes of its codes
    as *told*, of symbols, and of distances up to *step*.
    """
    parts = [(0x0178, 16), (1, 1), (2, 2), (_WHOLE - 256, 5), (step, 5), (len(_ORDER) - 4, 4)]
    parts += [(_OF_LENGTHS[symbol] & 31, 3) for symbol in _ORDER]
    at = 0
    while at < len(told):
        symbol, extra = told[at], (0, 0)
        if not symbol:
            zeros = next((n for n, size in enumerate(told[at : at + 138]) if size), 138)
            if zeros > 2:
                symbol = 18 if zeros > 10 else 17
                extra = (zeros - 11, 7) if zeros > 10 else (zeros - 3, 3)
                at += zeros - 1
        parts += [(_OF_LENGTHS[symbol] >> 5, _OF_LENGTHS[symbol] & 31), extra]
        at += 1
    bits = size = 0
    for part, count in parts:
        bits, size = bits | part << size, size + count
    return bits, size
