"""Pictures that look alike: difference hashes of a picture and of its seven mirrored and rotated
versions, searched in bands, so that no pair is compared in vain; verified by correlation.

A hash is of 256 bits. Two that differ in up to 15 of them agree in at least one of 16 bands of 16
bits; with NEAR scattered differences they still do in 97 of 100 cases. The hash is dHash (Neal
Krawetz, "Kind of Like That", 2013) on 16 x 16 means.
"""

from collections.abc import Callable, Iterator, Sequence
from tempfile import SpooledTemporaryFile
from typing import IO, Any

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from segprep.imaging.resemblance import ALIKE, resemblance

SIDE, GRID, NEAR = 32, 16, 26
HASH = GRID * GRID // 8  # bytes
CELL = SIDE // GRID
CROWD, WINDOW = 400, 20  # of more pictures with equal bits only neighbors in order are compared
BLOCK = 1 << 16  # pairs that are compared at once
MANY = 2048  # pairs of one key that are compared without looking up each
FEW = 400  # pictures of which all pairs are compared, bands or not
IN_MEMORY = 1 << 23  # bytes of hashes that are kept before there is a file
PART = 4096  # thumbnails that are hashed at once
TRIED = 1024  # pairs that are correlated at once
Turn = Callable[[NDArray[Any]], NDArray[Any]]
TURNS: dict[str, Turn] = {
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
    thumbnails: Sequence[NDArray[np.uint8]] | NDArray[np.uint8],
) -> Iterator[tuple[int, int, str, float]]:
    """(one, other, turn, correlation) for all two *thumbnails* (SIDE, SIDE) that look alike; of
    those that are equal, each with the first of them, which stands for all in other pairs. They are
    read one by one, and again where two may be alike: 200 bytes of each are held, and their hashes
    in a file where they are many.
    """
    keys = np.empty(len(thumbnails), np.uint64)
    with SpooledTemporaryFile(IN_MEMORY) as hashes:
        for start in range(0, len(thumbnails), PART):
            stack = np.asarray(thumbnails[start : start + PART])
            sums = _sums(stack)
            for number, turn in enumerate(TURNS.values()):
                hashes.seek((number * len(keys) + start) * HASH)
                hashes.write(_bits(sums, turn).data)
            digests = b"".join(blake3(thumbnail.tobytes()).digest(8) for thumbnail in stack)
            keys[start : start + len(stack)] = np.frombuffer(digests, np.uint64)
        alone = np.ones(len(thumbnails), np.bool_)
        for first, other in _equal(thumbnails, keys):
            alone[other] = False
            yield first, other, "", 1.0
        numbers = np.flatnonzero(alone)
        if len(numbers) > 1:
            yield from _unequal(thumbnails, numbers, hashes)


def _equal(
    thumbnails: Sequence[NDArray[np.uint8]] | NDArray[np.uint8], keys: NDArray[np.uint64]
) -> Iterator[tuple[int, int]]:
    """Each thumbnail that equals an earlier one, after the first that it equals."""
    ordered = np.sort(keys)
    firsts: dict[bytes, int] = {}
    for other in np.flatnonzero(np.isin(keys, ordered[1:][ordered[1:] == ordered[:-1]])).tolist():
        first = firsts.setdefault(blake3(thumbnails[other].tobytes()).digest(20), other)
        if first != other:
            yield first, other


def _unequal(
    thumbnails: Sequence[NDArray[np.uint8]] | NDArray[np.uint8],
    numbers: NDArray[np.intp],
    hashes: IO[bytes],
) -> Iterator[tuple[int, int, str, float]]:
    """The pairs of the *thumbnails* of these *numbers*, no two of which are equal; *hashes* (TURNS,
    thumbnails, HASH) are those of all.
    """

    def words() -> NDArray[np.uint64]:
        """(4, N): those of the next turn."""
        data = np.frombuffer(hashes.read(len(thumbnails) * HASH), np.uint8)
        return in_words(data.reshape(-1, HASH)[numbers])

    hashes.seek(0)
    plain, seen = words(), set[tuple[int, int]]()
    for name, turn in TURNS.items():
        candidates = numbers[_candidates(plain, words() if name else plain)]
        for first, other in _correlated(thumbnails, candidates, turn):
            if (first, other) in seen:
                continue
            correlation = resemblance(thumbnails[first], turn(thumbnails[other]))
            if correlation >= ALIKE:
                seen.add((first, other))
                yield first, other, name, correlation


def _correlated(
    thumbnails: Sequence[NDArray[np.uint8]] | NDArray[np.uint8],
    candidates: NDArray[np.intp],
    turn: Turn,
) -> Iterator[tuple[int, int]]:
    """Those of the *candidates* (N, 2) whose thumbnails correlate by ALIKE, the second after a
    *turn*, or by a little less: of smooth pictures with like hashes few do.
    """
    for start in range(0, len(candidates), TRIED):
        part = candidates[start : start + TRIED]
        ordered = np.sort(part, axis=None)
        used = ordered[np.diff(ordered, prepend=-1) > 0]
        stack = np.stack([thumbnails[number] for number in used.tolist()])
        first, other = np.searchsorted(used, part.T)
        products = _centered(stack)[first] * _centered(_turned(stack, turn))[other]
        yield from map(tuple, part[products.sum(1) >= ALIKE - 0.001].tolist())


def _centered(stack: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(N, pixels): pictures (N, H, W) less their means, of length 1, or 0 where they are flat."""
    flat = stack.reshape(len(stack), -1).astype(np.float32)
    flat -= flat.mean(1, keepdims=True)
    lengths = np.sqrt(np.square(flat).sum(1, keepdims=True))
    return np.asarray(flat / np.maximum(lengths, 0.5))


def _turned(stack: NDArray[Any], turn: Turn) -> NDArray[Any]:
    """Each picture of (N, H, W) after a *turn*."""
    return np.moveaxis(turn(np.moveaxis(stack, 0, 2)), 2, 0)


def hashes(stack: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(N, 32) bytes: for each of 16 x 16 means whether its right (at the last column, its first)
    neighbor is brighter.
    """
    return _bits(_sums(stack), TURNS[""])


def in_words(hashes: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """*hashes* (N, 32) as four words each, (4, N)."""
    return np.ascontiguousarray(hashes.view(np.uint64).T)


def _sums(stack: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """(N, GRID, GRID): the sums of squares of CELL x CELL pixels. Turning a picture turns them."""
    sums = np.zeros((len(stack), GRID, GRID), np.uint16)
    for down in range(CELL):
        for right in range(CELL):
            sums += stack[:, down::CELL, right::CELL]
    return sums


def _bits(sums: NDArray[np.uint16], turn: Turn) -> NDArray[np.uint8]:
    """The hashes (N, 32) of pictures with these *sums* (N, GRID, GRID) after a *turn*."""
    bits = np.zeros((len(sums), HASH), np.uint8)
    for start in range(0, len(sums), PART):
        part = _turned(sums[start : start + PART], turn)
        brighter = np.roll(part, -1, axis=2) > part + CELL * CELL // 2  # by half a level
        bits[start : start + PART] = np.packbits(brighter.reshape(len(part), -1), axis=1)
    return bits


def _candidates(plain: NDArray[np.uint64], turned: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Pairs (N, 2) of one and other, one < other, whose hashes differ in at most NEAR bits: the
    first of *plain* (4, pictures), the second of *turned*, or the other way round.
    """
    count = plain.shape[1]
    if count <= FEW:
        near = [_near_of_all(plain, turned)]
    else:
        near = [np.zeros((0, 2), np.int64)]
        for band in range(4 * len(plain)):
            keys, turned_keys = (
                words[band // 4].view(np.uint16)[band % 4 :: 4] for words in (plain, turned)
            )
            # the word after that of the band, whose bits are no longer equal, tells most
            order = [(band // 4 + step) % len(plain) for step in range(1, 1 + len(plain))]
            words, turned_words = ([part[n] for n in order] for part in (plain, turned))
            near += _Band(keys, turned_keys, words, turned_words)
    ordered = np.sort(np.concatenate(near), axis=1)
    numbers = np.sort(ordered[:, 0] * count + ordered[:, 1])
    numbers = numbers[np.diff(numbers, prepend=-1) > 0]  # np.unique imports numpy.ma for it
    return np.stack(np.divmod(numbers, count), axis=1)


def _near_of_all(words: NDArray[np.uint64], turned: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Every pair (N, 2) of two pictures whose hashes differ in at most NEAR bits; hashes are
    columns.
    """
    bits = np.zeros((words.shape[1], words.shape[1]), np.uint16)
    for word, turned_word in zip(words, turned, strict=True):
        bits += np.bitwise_count(word[:, None] ^ turned_word)
    np.fill_diagonal(bits, NEAR + 1)
    return np.argwhere(bits <= NEAR)


class _Band:
    """Pairs (N, 2) of equal *keys* whose hashes, of four *words* (N,), differ in at most NEAR bits,
    in blocks. Of many pictures with one key all are compared with all, without looking up
    each; of a crowd, each with its neighbors.
    """

    def __init__(
        self,
        keys: NDArray[np.uint16],
        turned_keys: NDArray[np.uint16],
        words: Sequence[NDArray[np.uint64]],
        turned: Sequence[NDArray[np.uint64]],
    ) -> None:
        self.words, self.turned = words, turned
        self.order = np.argsort(keys, kind="stable")
        self.turned_order = np.argsort(turned_keys, kind="stable")
        # the first words in order of keys: those of one key lie together
        self.first, self.turned_first = words[0][self.order], turned[0][self.turned_order]
        ranked, turned_ranked = keys[self.order], turned_keys[self.turned_order]
        self.low, self.high = _bounds(ranked, turned_ranked)
        self.turned_low, self.turned_high = _bounds(turned_ranked, turned_ranked)

    def __iter__(self) -> Iterator[NDArray[np.int64]]:
        sizes = self.high - self.low
        crowded = sizes > CROWD
        together = ~crowded & (sizes * (self.turned_high - self.turned_low) >= MANY)
        starts = self.turned_low[together]
        for start in starts[np.diff(starts, prepend=-1) > 0].tolist():
            yield from self._of_all(start)
        middle = self.low + self.turned_order * sizes // len(sizes)
        low = np.where(crowded, np.maximum(self.low, middle - WINDOW), self.low)
        high = np.where(crowded, np.minimum(self.high, middle + WINDOW), self.high)
        yield from self._one_by_one(low, np.where(together, low, high))

    def _of_all(self, start: int) -> Iterator[NDArray[np.int64]]:
        """All pictures of the key that turned pictures have from *start* on, in order of keys."""
        own = self.order[self.low[start] : self.high[start]]
        word, step = self.words[0].take(own)[:, None], BLOCK // len(own)
        for at in range(start, int(self.turned_high[start]), step):
            others = self.turned_order[at : min(at + step, self.turned_high[start])]
            bits = np.bitwise_count(word ^ self.turned[0].take(others))
            rows, columns = np.divmod(np.flatnonzero(bits <= NEAR), len(others))
            yield self._near(own[rows], others[columns])

    def _one_by_one(
        self, low: NDArray[np.int64], high: NDArray[np.int64]
    ) -> Iterator[NDArray[np.int64]]:
        """Each turned picture and those from *low* to *high*, in order of keys."""
        totals = np.cumsum(high - low)
        start = 0
        while start < len(low):
            done = int(totals[start - 1]) if start else 0
            end = max(start + 1, int(np.searchsorted(totals, done + BLOCK, side="right")))
            sizes = (high - low)[start:end]
            at = np.repeat(low[start:end] - (np.cumsum(sizes) - sizes), sizes)
            at += np.arange(len(at))
            turned = np.repeat(np.arange(start, end), sizes)
            bits = np.bitwise_count(self.first.take(at) ^ self.turned_first.take(turned))
            near = np.flatnonzero(bits <= NEAR)
            yield self._near(
                self.order.take(at.take(near)), self.turned_order.take(turned.take(near))
            )
            start = end

    def _near(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.int64]:
        """Those of the pairs that differ in at most NEAR bits, word by word."""
        bits = np.zeros(len(first), np.uint8)
        for word, turned in zip(self.words, self.turned, strict=True):
            bits += np.bitwise_count(word.take(first) ^ turned.take(second))
            near = np.flatnonzero(bits <= NEAR)
            first, second, bits = first.take(near), second.take(near), bits.take(near)
        other = first != second
        return np.stack([first[other], second[other]], axis=1)


def _bounds(
    ranked: NDArray[np.uint16], keys: NDArray[np.uint16]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """From where to where each of *keys* is in *ranked* ones."""
    counts = np.bincount(ranked, minlength=1 << 16)
    ends = np.cumsum(counts)
    return (ends - counts).take(keys), ends.take(keys)
