"""The code of a flat mask's stream, see :mod:`.flat_stream`: half of it are the values that occur,
an eighth is the longest copy, the rest are shorter ones.
"""

from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LONGEST = 258  # bytes that one copy makes
_END, _WHOLE = 256, 285  # symbols
_LENGTHS = (*range(3, 11), *(3 + (part << power) for power in range(1, 6) for part in range(4, 8)))
_EXTRA = (*[0] * 8, *[1] * 4, *[2] * 4, *[3] * 4, *[4] * 4, *[5] * 4, 0)  # bits of these
_RARE = range(_END, 266)  # symbols of seven bits: the end, and copies of 3 to 11 bytes
_ORDER = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)
_STEPS = (1, 2, 3, 4, *(1 + (half << power) for power in range(1, 14) for half in (2, 3)))
Bits = NDArray[np.uint64]


class Code(NamedTuple):
    """How a stream begins (*head*, of *size* bits), and what stands for each value (256,), for each
    length of repeats and of copies (2, 259), and for the end: 32 * bits + their number, 0 for none.
    """

    head: bytes
    size: int
    literals: Bits
    lengths: Bits
    end: int


@lru_cache(256)
def code_of(values: bytes, distance: int) -> Code:
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
    lengths = np.zeros((2, LONGEST + 1), np.uint64)
    for length in range(3, LONGEST + 1):
        at = bisect_right(_LENGTHS, length) - 1 if length < LONGEST else len(_LENGTHS)
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
