"""Polygons painted together without the kernel: as spans, not as pixels. Which of them lie over
each run of pixels are bits of one number, so what is on top, and what that covers, is found for all
runs at once.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from segprep.imaging import flat_runs, flat_stream
from segprep.imaging.polygon_spans import Whole, spans
from segprep.imaging.word_runs import spread
from segprep.types import IGNORE

MOST = 52  # polygons: bits of a number that floats hold exactly
Bits = NDArray[np.uint64]


def paint(
    polygons: Sequence[Sequence[float]], values: bytes, inks: bytes, height: int, width: int
) -> tuple[NDArray[np.uint8], dict[int, int], dict[int, dict[int, int]]] | None:
    """What :meth:`.Kernel.paint` makes and counts of MOST *polygons* or fewer; its stream is
    remembered where *inks* are their *values*. None beyond reach.
    """
    bounds = spans(polygons, height, width)
    if bounds is None:
        return None
    starts, active = _runs(*bounds, height * width)
    lengths = np.append(starts[1:], height * width) - starts
    top = _highest(active)
    counts = np.bincount(top, lengths).tolist()
    shown = {number: int(count) for number, count in enumerate(counts) if count}
    over = _over(active, top, lengths, np.frombuffer(values, np.uint8))
    ids = np.frombuffer(inks, np.uint8).take(top)
    kept = np.ones(len(ids), np.bool_)
    np.not_equal(ids[1:], ids[:-1], out=kept[1:])
    starts, ids = starts[kept], ids[kept]
    mask = _pixels(starts, ids, height * width).reshape(height, width)
    if inks == values:
        used = bytes(sorted({0, *(values[number] for number in shown)}))
        if plan := flat_stream.plan(mask.shape, used):
            body = flat_runs.of_runs(starts, ids, mask.shape, plan)
            flat_stream.remember(mask, used, body)
    return mask, shown, over


def _runs(begins: Whole, ends: Whole, size: int) -> tuple[Whole, Bits]:
    """Where runs of an image of *size* pixels start that the same polygons cover, from 0 on, and
    the bits of these, of spans that begin and end there.
    """
    numbers = begins // size
    begins, ends = begins - numbers * size, ends - numbers * size
    keys = (np.concatenate([begins, ends]) << 6) + np.tile(numbers, 2)
    keys = keys.astype(np.int32) if size < 1 << 25 else keys  # sorted in half the time
    keys.sort()
    active = np.bitwise_xor.accumulate(np.uint64(1) << (keys & 63).astype(np.uint64))
    places = keys >> 6
    last = (places != np.append(places[1:], size)).nonzero()[0]
    first = np.zeros(int(not len(last) or places[last[0]] > 0), np.int64)
    return np.append(first, places[last]), np.append(first.astype(np.uint64), active[last])


def _highest(bits: Bits) -> NDArray[np.int32]:
    """The number of the highest bit, from 1; 0 where none is set."""
    return np.frexp(bits.astype(np.float64))[1]


def _over(
    active: Bits, top: NDArray[np.int32], lengths: Whole, values: NDArray[np.uint8]
) -> dict[int, dict[int, int]]:
    """Value -> values on top of it -> pixels."""
    deep = ((active & (active - np.uint64(1))) != 0).nonzero()[0]
    active, lengths = active[deep], lengths[deep]
    masks = dict[int, int]()
    for number, value in enumerate(values[1:].tolist()):
        masks[value] = masks.get(value, 0) | 1 << number
    holes = masks.pop(IGNORE, 0) | masks.pop(int(values[0]), 0)
    if holes:  # what lies below one is not covered by what lies above
        below = _highest(active & np.uint64(holes)).astype(np.uint64)
        active = active >> below << below
    upper, over = values.take(top[deep]).astype(np.intp), dict[int, dict[int, int]]()
    for value, mask in sorted(masks.items()):
        covered = np.where((active & np.uint64(mask)) != 0, lengths, 0)
        counts = np.bincount(upper, covered)
        counts[value : value + 1] = 0
        if others := {n: int(count) for n, count in enumerate(counts.tolist()) if count}:
            over[value] = others
    return over


def _pixels(starts: Whole, ids: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """*size* pixels in runs of *ids* that begin at *starts*; memory behind them is used."""
    words = -(-size // 8)
    firsts = (starts + 7) >> 3  # whole words after the start
    even = np.repeat(spread(ids), np.append(firsts[1:], words) - firsts)
    inside = ((starts & 7) != 0).nonzero()[0]
    if inside.size:
        shift = ((starts[inside] & 7) << 3).astype(np.uint64)
        changes = spread(ids[inside] ^ ids[inside - 1]) << shift
        places = starts[inside] >> 3
        begins = np.append(True, places[1:] != places[:-1]).nonzero()[0]
        even[places[begins]] ^= np.bitwise_xor.reduceat(changes, begins)
    return even.view(np.uint8)[:size]
