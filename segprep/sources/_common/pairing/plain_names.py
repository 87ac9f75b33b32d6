"""Names of ASCII text, as nearly all are, worked on all at once; of others each has to be."""

import numpy as np
from numpy.typing import NDArray

from segprep.files import path_keys
from segprep.files.path_keys import EMPTY, Keys
from segprep.names import MAX_STEM_BYTES, RESERVED
from segprep.packed import PackedNames

Numbers = NDArray[np.int64]
_FAULTY = np.isin(np.arange(256), [*range(32), 127, *b'/\\:*?"<>|'])
_BLANK, _DOT, _DELETE = ord(" "), ord("."), 127
_HEADS = np.array([int.from_bytes(word[:3].encode(), "big") for word in sorted(RESERVED)])


def stem_keys(names: PackedNames, seeds: "int | Keys" = EMPTY) -> Keys:
    """A key of the :func:`names.stem_key` of the stem of each of *names*, which goes on from
    *seeds*.
    """
    lower, starts = _lower(names)
    ends = path_keys.without_extension(lower, starts[:-1], starts[1:])
    return path_keys.spans(lower, starts[:-1], ends, seeds)


def name_keys(names: PackedNames) -> Keys:
    """A key of the :func:`names.stem_key` of each of *names*, stems."""
    lower, starts = _lower(names)
    return path_keys.spans(lower, starts[:-1], starts[1:])


def _lower(names: PackedNames) -> tuple[NDArray[np.uint8], Numbers]:
    text, starts = names.buffers()
    return np.frombuffer(text.lower(), np.uint8), np.frombuffer(starts, np.int64)


def stems(names: PackedNames, numbers: Numbers) -> PackedNames:
    """The stems of those of *names* of these *numbers*."""
    text, starts = path_keys.parts(names)
    first = starts[numbers]
    return path_keys.gathered(
        text, first, path_keys.without_extension(text, first, starts[numbers + 1])
    )


def in_turn(*sides: tuple[PackedNames, Numbers]) -> PackedNames:
    """The first name of each of *sides*, those of its names of these numbers, as many each; then
    the second of each, and so on.
    """
    texts, starts, ends, base = list[NDArray[np.uint8]](), list[Numbers](), list[Numbers](), 0
    for names, numbers in sides:
        text, places = path_keys.parts(names)
        texts.append(text)
        starts.append(places[numbers] + base)
        ends.append(places[numbers + 1] + base)
        base += len(text)
    turn = (np.stack(side, 1).reshape(-1) for side in (starts, ends))
    return path_keys.gathered(np.concatenate(texts), *turn)


def doubtful(names: PackedNames) -> Numbers:
    """The numbers of those of *names*, stems that are plain, that may have a
    :func:`names.stem_fault`.
    """
    text, starts = path_keys.parts(names)
    first, ends = starts[:-1], starts[1:]
    if not len(text):
        return np.arange(len(first))
    lengths = ends - first
    doubts = (lengths == 0) | (lengths > MAX_STEM_BYTES)
    at = np.minimum(first, len(text) - 1)
    last = text[np.maximum(ends - 1, 0)]
    doubts |= (text[at] == _BLANK) | (last == _BLANK) | (last == _DOT)
    wrong = np.flatnonzero(_FAULTY[text])
    doubts[np.searchsorted(ends, wrong, side="right")] = True
    lower = text | np.uint8(32)  # of letters
    heads = np.zeros(len(first), np.int64)
    for more in range(3):
        heads = heads << 8 | lower[np.minimum(first + more, len(text) - 1)]
    doubts |= np.isin(heads, _HEADS)
    return np.flatnonzero(doubts)
