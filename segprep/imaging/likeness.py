"""Pictures that look alike: difference hashes of a picture and of its seven mirrored and rotated
versions, searched in bands, so that no pair is compared in vain; verified by correlation.

A hash is of 256 bits. Two that differ in up to 15 of them agree in at least one of 16 bands of 16
bits; with NEAR scattered differences they still do in 97 of 100 cases. The hash is dHash (Neal
Krawetz, "Kind of Like That", 2013) on 16 x 16 means.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIDE, GRID, NEAR, ALIKE = 32, 16, 26, 0.95
CELL = SIDE // GRID
CROWD, WINDOW = 400, 20  # of more pictures with equal bits only neighbors in order are compared
BLOCK = 500_000  # pairs that are compared at once
FEW = 400  # pictures of which all pairs are compared, bands or not
PART = 4096  # thumbnails that are hashed at once
TURNS: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "": lambda m: m,
    "mirrored left to right": lambda m: m[:, ::-1],
    "mirrored top to bottom": lambda m: m[::-1],
    "rotated by 180 degrees": lambda m: m[::-1, ::-1],
    "rotated by 90 degrees": np.rot90,
    "rotated by 270 degrees": lambda m: np.rot90(m, 3),
    "transposed": lambda m: m.swapaxes(0, 1),
    "transposed across": lambda m: np.rot90(m, 2).swapaxes(0, 1),
}


def pairs(
    thumbnails: Sequence[NDArray[np.uint8]],
) -> Iterator[tuple[int, int, str, float]]:
    """(one, other, turn, correlation) for all two *thumbnails* (SIDE, SIDE) that look alike; of
    those that are equal, each with the first of them, which stands for all in other pairs.
    """
    firsts: dict[bytes, int] = {}
    for other, thumbnail in enumerate(thumbnails):
        first = firsts.setdefault(thumbnail.tobytes(), other)
        if first != other:
            yield first, other, "", 1.0
    numbers = list(firsts.values())
    for first, other, name, correlation in _unequal([thumbnails[number] for number in numbers]):
        yield numbers[first], numbers[other], name, correlation


def _unequal(
    thumbnails: Sequence[NDArray[np.uint8]],
) -> Iterator[tuple[int, int, str, float]]:
    """The pairs of *thumbnails*, no two of which are equal."""
    if len(thumbnails) < 2:
        return
    stack = np.stack(thumbnails)
    means = _sums(stack)
    plain = _bits(means)
    seen: set[tuple[int, int]] = set()
    for name, turn in TURNS.items():
        turned = plain if not name else _bits(np.moveaxis(turn(np.moveaxis(means, 0, 2)), 2, 0))
        for first, other in _candidates(plain, turned):
            if (first, other) in seen:
                continue
            correlation = correlated(stack[first], turn(stack[other]))
            if correlation >= ALIKE:
                seen.add((first, other))
                yield first, other, name, correlation


def hashes(stack: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(N, 32) bytes: for each of 16 x 16 means whether its right (at the last column, its first)
    neighbor is brighter.
    """
    return _bits(_sums(stack))


def _sums(stack: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """(N, GRID, GRID): the sums of squares of CELL x CELL pixels. Turning a picture turns them."""
    sums = np.zeros((len(stack), GRID, GRID), np.uint16)
    for down in range(CELL):
        for right in range(CELL):
            sums += stack[:, down::CELL, right::CELL]
    return sums


def _bits(sums: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """The hashes (N, 32) of pictures with these *sums* (N, GRID, GRID)."""
    bits = np.zeros((len(sums), GRID * GRID // 8), np.uint8)
    for start in range(0, len(sums), PART):
        part = sums[start : start + PART]
        brighter = np.roll(part, -1, axis=2) > part + CELL * CELL // 2  # by half a level
        bits[start : start + PART] = np.packbits(brighter.reshape(len(part), -1), axis=1)
    return bits


def _candidates(plain: NDArray[np.uint8], turned: NDArray[np.uint8]) -> list[tuple[int, int]]:
    """Pairs (one, other), one < other, whose hashes differ in at most NEAR bits: the first of
    *plain*, the second of *turned*, or the other way round.
    """
    count = len(plain)
    if count <= FEW:
        near = [_near_of_all(plain, turned)]
    else:
        bands, turned_bands = plain.view(np.uint16), turned.view(np.uint16)
        near = [np.zeros((0, 2), np.int64)]
        for band in range(bands.shape[1]):
            near += _near_in_band(bands[:, band], turned_bands[:, band], plain, turned)
    ordered = np.sort(np.concatenate(near), axis=1)
    numbers = np.sort(ordered[:, 0] * count + ordered[:, 1])
    numbers = numbers[np.diff(numbers, prepend=-1) > 0]  # np.unique imports numpy.ma for it
    return [divmod(number, count) for number in numbers.tolist()]


def _near_of_all(plain: NDArray[np.uint8], turned: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Every pair (N, 2) of two pictures whose hashes differ in at most NEAR bits."""
    bits = np.zeros((len(plain), len(plain)), np.uint16)
    for words, turned_words in zip(plain.view(np.uint64).T, turned.view(np.uint64).T, strict=True):
        bits += np.bitwise_count(words[:, None] ^ turned_words)
    np.fill_diagonal(bits, NEAR + 1)
    return np.argwhere(bits <= NEAR)


def _near_in_band(
    keys: NDArray[np.uint16],
    turned_keys: NDArray[np.uint16],
    plain: NDArray[np.uint8],
    turned: NDArray[np.uint8],
) -> Iterator[NDArray[np.int64]]:
    """Pairs of equal keys whose hashes differ in at most NEAR bits, in blocks."""
    count = len(keys)
    order = np.argsort(keys, kind="stable")
    ranked = keys[order]
    low = np.searchsorted(ranked, turned_keys, side="left")
    high = np.searchsorted(ranked, turned_keys, side="right")
    crowded = high - low > CROWD
    middle = low + np.arange(count) * (high - low) // count
    low = np.where(crowded, np.maximum(low, middle - WINDOW), low)
    high = np.where(crowded, np.minimum(high, middle + WINDOW), high)
    totals = np.cumsum(high - low)
    words, turned_words = plain.view(np.uint64), turned.view(np.uint64)
    start = 0
    while start < count:
        done = int(totals[start - 1]) if start else 0
        end = max(start + 1, int(np.searchsorted(totals, done + BLOCK, side="right")))
        sizes = (high - low)[start:end]
        second = np.repeat(np.arange(start, end), sizes)
        offsets = np.arange(len(second)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        first = order[np.repeat(low[start:end], sizes) + offsets]
        bits = np.bitwise_count(words[first] ^ turned_words[second]).sum(1)
        chosen = (bits <= NEAR) & (first != second)
        yield np.stack([first[chosen], second[chosen]], axis=1)
        start = end


def correlated(first: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """The correlation of two pictures, -1 to 1; 0 where one is flat."""
    a, b = first.astype(np.float64).reshape(-1), other.astype(np.float64).reshape(-1)
    a, b = a - a.mean(), b - b.mean()
    length = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / length if length else 0.0
