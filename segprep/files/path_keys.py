"""64-bit keys of very many names at once. The key of a text continues where that of its beginning
stopped (FNV-1a), so that of a path is made of its folder's and its name.
"""

import os
from array import array
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from segprep.packed import PackedNames, PackedPaths

Keys = NDArray[np.uint64]
EMPTY = 0xCBF29CE484222325
_PRIME = 0x100000001B3
_MASK = (1 << 64) - 1
_AT_ONCE = 1 << 14  # names: what is worked on stays in the cache
_FEW = 1 << 10  # where each byte takes eight more


def key(text: bytes, start: int = EMPTY) -> int:
    """The key of *text*, or of what has the key *start*, and then *text*."""
    for byte in text:
        start = ((start ^ byte) * _PRIME) & _MASK
    return start


def folder_key(folder: str | bytes | os.PathLike[str]) -> int:
    """The key of *folder* with a separator, to which names are added."""
    return key(os.path.join(os.fsencode(folder), b""))


def longer(keys: Keys, text: bytes) -> Keys:
    """The keys of what has these *keys*, and then *text*."""
    keys = keys.copy()
    for byte in text:
        keys ^= np.uint64(byte)
        keys *= np.uint64(_PRIME)
    return keys


def parts(names: PackedNames) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The bytes of *names*, and where each of them starts, and the last one ends."""
    text, starts = names.buffers()
    return np.frombuffer(text, np.uint8), np.frombuffer(starts, np.int64)


def keys_of(names: PackedNames, seeds: "int | Keys" = EMPTY) -> Keys:
    """The keys of all *names*, which go on from *seeds*."""
    text, starts = parts(names)
    return spans(text, starts[:-1], starts[1:], seeds)


def keys_of_paths(paths: PackedPaths, numbers: NDArray[np.int64]) -> Keys:
    """The keys of those of *paths* of these *numbers*."""
    names, homes, folders = paths.buffers()
    seeds = np.array([folder_key(folder) if folder else EMPTY for folder in folders], np.uint64)
    text, starts = parts(names)
    own = seeds[np.frombuffer(homes, np.uint32)[numbers]]
    return spans(text, starts[numbers], starts[numbers + 1], own)


def keys_of_list(names: Sequence[bytes], seeds: "int | Keys" = EMPTY) -> Keys:
    """The keys of a list of *names*, which go on from *seeds*."""
    ends = np.cumsum(np.fromiter(map(len, names), np.int64, len(names)))
    starts = np.concatenate((np.zeros(1, np.int64), ends[:-1])) if len(names) else ends
    return spans(np.frombuffer(b"".join(names), np.uint8), starts, ends, seeds)


def spans(
    text: NDArray[np.uint8],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    seeds: "int | Keys" = EMPTY,
) -> Keys:
    """The keys of the parts of *text* from *starts* to *ends*."""
    keys = np.empty(len(starts), np.uint64)
    keys[:] = seeds
    for first in range(0, len(keys), _AT_ONCE):
        part = slice(first, first + _AT_ONCE)
        _go_on(keys[part], text, starts[part], ends[part])
    return keys


def _go_on(
    keys: Keys, text: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> None:
    """Let *keys* go on by the parts of *text*, a byte of each at a time."""
    lengths, prime = ends - starts, np.uint64(_PRIME)
    shortest, longest = int(lengths.min()), int(lengths.max())
    for at in range(shortest):
        keys ^= text[starts + at]
        keys *= prime
    if longest > shortest:
        left = np.flatnonzero(lengths > shortest)
        for at in range(shortest, longest):
            keys[left] = (keys[left] ^ text[starts[left] + at]) * prime
            left = left[lengths[left] > at + 1]


def without_extension(
    text: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Where the parts of *text* from *starts* to *ends*, names that do not begin with a dot, end
    without what os.path.splitext calls their extension.
    """
    dots = np.flatnonzero(text == ord("."))
    if not len(dots):
        return ends
    last = dots[np.maximum(np.searchsorted(dots, ends) - 1, 0)]
    return np.where((last > starts) & (last < ends), last, ends)


def gathered(
    text: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> PackedNames:
    """The parts of *text* from *starts* to *ends* as names."""
    names, places = bytearray(), array("Q", [0])
    for first in range(0, len(starts), _FEW):
        own = starts[first : first + _FEW]
        lengths = ends[first : first + _FEW] - own
        stops = np.cumsum(lengths)
        places.frombytes((stops + len(names)).tobytes())
        inside = np.arange(int(stops[-1])) + np.repeat(own - stops + lengths, lengths)
        names += text[inside].tobytes()
    return PackedNames.of(names, places)


def among(keys: Keys, others: Keys) -> NDArray[np.bool_]:
    """Which of *keys* are among *others*; these get another order."""
    result = np.zeros(len(keys), bool)
    others.sort()
    for first in range(0, len(keys) if len(others) else 0, _AT_ONCE):
        own = keys[first : first + _AT_ONCE]
        at = np.minimum(np.searchsorted(others, own), len(others) - 1)
        result[first : first + _AT_ONCE] = others[at] == own
    return result


def mixed(first: Keys, second: "int | Keys") -> Keys:
    """Keys that change when *first* or *second* does, or their order."""
    keys = first ^ np.uint64(second)
    keys *= np.uint64(0x9E3779B97F4A7C15)
    keys ^= keys >> np.uint64(32)
    keys += first
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        keys ^= keys >> np.uint64(33)
        keys *= np.uint64(factor)
    keys ^= keys >> np.uint64(33)
    return keys
