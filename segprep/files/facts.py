"""Facts that a run learned by reading files: the next run recalls them, and opens no file that its
size, times and inode show to be as it was.
"""

import os
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from segprep.files import path_keys, state_tables, states
from segprep.files.path_keys import Keys
from segprep.files.state_tables import StateTable
from segprep.packed import Picked

MOST = 1 << 16  # different facts; beyond them, none is worth remembering
_AT_ONCE = 4096  # files
_LEAST = np.uint64(1)


@runtime_checkable
class KeyedPaths(Protocol):
    """Paths that give their keys (see :func:`path_keys.keys_of`) faster than as text."""

    def keys(self) -> Keys:
        """The keys of all paths."""


@dataclass(slots=True)
class Facts:
    """Twelve bytes a file: *keys* of paths with their states, in order, and the numbers of their
    facts among *values*.
    """

    keys: "array[int]" = field(default_factory=partial(array, "Q"))
    numbers: "array[int]" = field(default_factory=partial(array, "I"))
    values: list[bytes] = field(default_factory=list)

    def places(self, keys: Keys) -> NDArray[np.int32]:
        """Which of the values *keys* have; -1 where there is none, or a key is UNKNOWN."""
        own = np.frombuffer(self.keys, np.uint64)
        if not len(own):
            return np.full(len(keys), -1, np.int32)
        at = np.minimum(np.searchsorted(own, keys), len(own) - 1)
        same = (own[at] == keys) & (keys != states.UNKNOWN)
        numbers = np.frombuffer(self.numbers, np.uint32).astype(np.int32)
        return np.where(same, numbers[at], np.int32(-1))

    @classmethod
    def ordered(
        cls, keys: Sequence[int], numbers: Sequence[int], values: Sequence[bytes]
    ) -> "Facts":
        """Facts whose *keys* came in any order."""
        every = np.asarray(keys, np.uint64)
        order = np.argsort(every, kind="stable")
        own = np.asarray(numbers, np.uint32)[order]
        return cls(array("Q", every[order].tobytes()), array("I", own.tobytes()), [*values])


class Learning:
    """The facts of one run: *earlier* ones that it recalls, and all that it met."""

    def __init__(self, earlier: Facts, looked: StateTable) -> None:
        self._earlier, self._looked = earlier, looked
        self._keys, self._numbers = array("Q"), array("I")
        self._values: dict[bytes, int] = {}

    def every(
        self,
        paths: Sequence[str],
        read: Callable[[Sequence[int]], Iterator[bytes | None]],
        kind: str,
    ) -> Iterator[bytes | None]:
        """What :func:`all_recalled` gives."""
        keys = self._keys_of(paths, kind)
        places = self._earlier.places(keys)
        fresh = read(array("Q", np.flatnonzero(places < 0).astype(np.uint64).tobytes()))
        for first in range(0, len(keys), _AT_ONCE):
            part = slice(first, first + _AT_ONCE)
            yield from self._noted(keys[part].tolist(), places[part].tolist(), fresh)
        for _ in fresh:
            pass  # which ends what shows its progress

    def _noted(
        self, keys: Sequence[int], places: Sequence[int], fresh: Iterator[bytes | None]
    ) -> Iterator[bytes | None]:
        """What the files of these *keys* tell, remembered at *places* or *fresh*; it is noted."""
        for key, at in zip(keys, places, strict=True):
            value = next(fresh) if at < 0 else self._earlier.values[at]
            if value is not None and key:
                number = self._values.get(value)
                if number is None and len(self._values) < MOST:
                    number = self._values[value] = len(self._values)
                if number is not None:
                    self._keys.append(key)
                    self._numbers.append(number)
            yield value

    def _keys_of(self, paths: Sequence[str], kind: str) -> Keys:
        """The keys of the files as they were looked at; UNKNOWN where one may change without a
        trace.
        """
        keys = (
            paths.keys()
            if isinstance(paths, KeyedPaths)
            else path_keys.keys_of_list([*map(os.fsencode, paths)])
        )
        named = path_keys.key(kind.encode("utf-8", "surrogatepass"))
        for first in range(0, len(keys), _AT_ONCE):
            part = slice(first, first + _AT_ONCE)
            looked = self._looked.find(keys[part], 0, Picked(paths, range(len(paths))[part]))
            own = np.maximum(path_keys.mixed(path_keys.mixed(keys[part], named), looked), _LEAST)
            certain = (looked != states.UNKNOWN) & (looked != state_tables.ABSENT)
            keys[part] = np.where(certain, own, np.uint64(states.UNKNOWN))
        return keys

    def facts(self) -> Facts:
        """All that this run met, for the next one."""
        return Facts.ordered(self._keys, self._numbers, [*self._values])


_learning: ContextVar[Learning | None] = ContextVar("segprep_facts", default=None)


@contextmanager
def learning(earlier: Facts, looked: StateTable) -> Iterator[None]:
    """Recall *earlier* facts, and note those of all files met, which were *looked* at before any
    was read.
    """
    token = _learning.set(Learning(earlier, looked))
    try:
        yield
    finally:
        _learning.reset(token)


def learned() -> Facts:
    """The facts of the :func:`learning` that is under way; none outside of one."""
    under_way = _learning.get()
    return under_way.facts() if under_way is not None else Facts()


def all_recalled(
    paths: Sequence[str], read: Callable[[Sequence[int]], Iterator[bytes | None]], kind: str
) -> Iterator[bytes | None]:
    """What *read* says of the files at *paths*, in order, or said when they were last read as they
    are now: it is given the numbers of the others, and says None of what cannot be read. *kind*: of
    what it tells, and what else decides about it.
    """
    under_way = _learning.get()
    if under_way is None:
        return read(range(len(paths)))
    return under_way.every(paths, read, kind)
