"""The stream of a flat mask, see :mod:`.flat_stream`, written without the kernel: of its runs of
pixels, all at once.
"""

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from segprep.imaging.flat_code import LONGEST, Bits, Code

_PRIME = 65_521  # of Adler-32
_ONE, _FIVE, _COUNT = np.uint64(1), np.uint64(5), np.uint64(31)
_THRICE = 3 * LONGEST
_FEW = np.isin(np.arange(_THRICE) % LONGEST, (1, 2))
Rules = tuple[int, int, int]  # mean length of parts, bytes of a copy, rows of a blank run, at least
Numbers = NDArray[np.int64]
Places = NDArray[np.int64] | NDArray[np.int32]  # half as wide, sorting takes half as long


def of_runs(
    starts: Numbers, ids: NDArray[np.uint8], shape: tuple[int, ...], plan: tuple[Rules, Code]
) -> bytes | None:
    """The stream of a mask of *shape* (H, W) whose runs of pixels begin at *starts*, from 0 on, and
    are of *ids*, each unlike the one before.
    """
    (height, width), (rules, code) = shape, plan
    total, segments = height * (width + 1), _segments(starts, ids, height, width)
    parts = _parts(segments, width + 1, total, rules, code.literals)
    if parts is None:
        return None
    return packed(code, *parts, _checksum(segments, total))


class _Segments(NamedTuple):
    """From which *places* on bytes of the rows change, or those in the row above do; what they are
    *told* there, and whether they are *like* those above, which the first row is not.
    """

    places: Places
    told: NDArray[np.uint8]
    like: NDArray[np.bool_]


def _byte_changes(starts: Numbers, ids: NDArray[np.uint8], height: int, width: int) -> Numbers:
    """512 * the place in rows led by filter 0 + how a byte there differs (exclusive or) from the
    one before, of runs of pixels; in any order.
    """
    changes = ids.copy()
    changes[1:] ^= ids[:-1]
    before = ids[np.searchsorted(starts, np.arange(1, height) * width) - 1]  # the end of a row
    lit = (before != 0).nonzero()[0]
    filters = (lit + 1) * (width + 1)
    places = np.concatenate([starts + starts // width + 1, filters, filters + 1])
    keys: Numbers = (places << 9) + np.concatenate([changes, before[lit], before[lit]])
    return keys


def _segments(starts: Numbers, ids: NDArray[np.uint8], height: int, width: int) -> _Segments:
    """The segments of runs of pixels."""
    changes = _byte_changes(starts, ids, height, width)
    row = width + 1
    keys: Places = np.concatenate([changes, changes + (row << 9 | 256), [0, row << 9]])
    keys = keys.astype(np.int32) if (height + 1) * row < 1 << 22 else keys
    keys.sort()
    bits = keys.astype(np.uint8)
    unlike = np.bitwise_xor.accumulate(bits)
    bits *= keys & 256 == 0
    told = np.bitwise_xor.accumulate(bits)
    places = keys >> 9
    last = (places != np.append(places[1:], -1)).nonzero()[0]
    last = last[: np.searchsorted(places[last], height * row)]
    places = places[last]
    return _Segments(places, told[last], (unlike[last] == 0) & (places >= row))


def _checksum(segments: _Segments, total: int) -> int:
    """Adler-32 of all *total* bytes."""
    places, told, _ = segments
    lit = (told != 0).nonzero()[0]
    begins, ends = places[lit].astype(np.int64), np.append(places[1:], total)[lit]
    values = told[lit].astype(np.int64)
    sizes = ends - begins
    far = sizes * (2 * total + 1 - begins - ends) // 2  # a byte counts as often as it is far
    first, second = 1 + int((values * sizes).sum()), total + int((values * (far % _PRIME)).sum())
    return second % _PRIME << 16 | first % _PRIME


def _parts(
    segments: _Segments, row: int, total: int, rules: Rules, literals: Bits
) -> tuple[Bits, Numbers, Numbers] | None:
    """Runs and copies in order: what stands for the value of a run, 0 for copies; the bytes besides
    that; and whether they are copied, 0 or 1.
    """
    places, told, like = segments
    mean, least, rows = rules
    bounds = (like[1:] != like[:-1]).nonzero()[0] + 1
    if len(bounds) & 1:
        bounds = np.append(bounds, len(like))
    ends = np.append(places, total).take(bounds)
    sizes = ends[1::2] - ends[::2]
    large = (sizes >= least).nonzero()[0]
    firsts, lasts, sizes = bounds[::2][large], bounds[1::2][large], sizes[large]
    blank = _blank(segments, firsts, sizes, row, rows)
    rest = sizes % LONGEST
    cut = ((rest == 1) | (rest == 2)).nonzero()[0]  # these cannot be copied
    added = places[firsts[cut]] + sizes[cut] - rest[cut]
    after = np.searchsorted(places, added, side="right")
    places, told = _inserted(places, after, added), _inserted(told, after, told[after - 1])
    firsts = firsts + np.searchsorted(after, firsts, side="right")
    lasts = lasts + np.searchsorted(after, lasts, side="right")
    lasts[cut] = after + np.arange(len(cut))
    bounds = np.zeros(len(places) + 1, np.int8)
    bounds[firsts], bounds[lasts] = 1, -1
    copied = np.cumsum(bounds[:-1], dtype=np.int8)
    begin = np.ones(len(places), np.bool_)
    np.greater(told[1:] != told[:-1], copied[1:], out=begin[1:])
    begin |= bounds[:-1] != 0
    begins = begin.nonzero()[0]
    kinds, value = copied[begins].astype(np.int64), literals.take(told[begins])
    if len(begins) * mean > total or not (value + kinds.view(np.uint64)).all():
        return None
    value[kinds == 1] = 0
    ends = np.append(places[begins], total)
    more = ends[1:] - ends[:-1] - 1 + kinds
    runs = np.searchsorted(begins, firsts[blank])
    kinds[runs], value[runs] = 0, literals[0]
    more[runs] -= 1
    return value, more, kinds


def _inserted(array: NDArray[Any], after: Numbers, added: NDArray[Any]) -> NDArray[Any]:
    """*array* with what is *added* behind its first *after* entries, as numpy.insert has it."""
    parts, first = [array[:0]], 0
    for number, last in enumerate(after.tolist()):
        parts += [array[first:last], added[number : number + 1]]
        first = last
    return np.concatenate([*parts, array[first:]])


def _blank(segments: _Segments, firsts: Numbers, sizes: Numbers, row: int, rows: int) -> Numbers:
    """Which copies, of *sizes* from the segments *firsts* on, are zeros in at least so many
    *rows*.
    """
    places, told, _ = segments
    long = (sizes >= rows * row).nonzero()[0]
    above = ((places[firsts[long]] + sizes[long]) // row - 1) * row  # the last row that is copied
    parts = zip(*np.searchsorted(places, [above + 1, above + row]).tolist(), strict=True)
    return long[[not told[first - 1 : last].any() for first, last in parts]]


def packed(code: Code, value: Bits, more: Numbers, copied: Numbers, checksum: int) -> bytes:
    """The stream of runs and copies, see :func:`_parts`, with this *checksum*."""
    return _packed(code, *_bits(value, more, copied, code.lengths)) + checksum.to_bytes(4)


def _bits(value: Bits, more: Numbers, copied: Numbers, lengths: Bits) -> tuple[Bits, Bits]:
    """The bits of :func:`_parts`, up to 64 together, and their numbers."""
    table = _short_lengths(lengths.tobytes())
    thirds = more // _THRICE
    which = more - thirds * _THRICE
    few = _FEW.take(which).nonzero()[0]  # one or two more of a run are told one by one
    tails, added = table.take(which + copied * _THRICE, axis=1)
    bits, sizes = value >> _FIVE, value & _COUNT
    if few.size:
        size, twice = sizes[few], (which[few] % LONGEST == 2).astype(np.uint64)
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
    entries = np.frombuffer(lengths, np.uint64).reshape(2, -1)
    bits, sizes = [entries[:, :-1] >> _FIVE], [entries[:, :-1] & _COUNT]
    for _ in range(3):  # the longest one more
        bits.append(bits[-1] | (entries[:, -1:] >> _FIVE) << sizes[-1])
        sizes.append(sizes[-1] + (entries[:, -1:] & _COUNT))
    tables = [np.concatenate(parts, axis=1) for parts in (bits, sizes)]
    told = [[*table[:, :_THRICE].ravel(), *table[:, _THRICE]] for table in tables]
    return np.array(told, np.uint64)


def _packed(code: Code, bits: Bits, sizes: Bits) -> bytes:
    """The head, *bits* of these *sizes* and the end, one behind the other."""
    bits = np.append(bits, np.uint64(code.end >> 5))
    ends = np.cumsum(np.append(sizes, np.uint64(code.end & 31))).astype(np.int64) + code.size
    begins = np.append(code.size, ends[:-1])
    words = np.zeros(int(ends[-1]) // 64 + len(code.head) // 8 + 2, "<u8")
    words.view(np.uint8)[: len(code.head)] = np.frombuffer(code.head, np.uint8)
    number, shift = begins >> 6, (begins & 63).astype(np.uint64)
    firsts = np.append(True, number[1:] != number[:-1]).nonzero()[0]
    words[number[firsts]] |= np.bitwise_or.reduceat(bits << shift, firsts)
    over = (ends >> 6 > number).nonzero()[0]
    words[number[over] + 1] |= (bits[over] >> _ONE) >> (np.uint64(63) - shift[over])
    return words.tobytes()[: -(-int(ends[-1]) // 8)]
