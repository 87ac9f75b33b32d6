"""Facts that a run learned by reading files: the next run recalls them, and opens no file that its
size, times and inode show to be as it was.
"""

import os
import time
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from segprep.files import states

MOST = 1 << 16  # different facts; beyond them, none is worth remembering


@dataclass(slots=True)
class Facts:
    """Twelve bytes a file: *keys* of paths with their states, in order, and the numbers of their
    facts among *values*.
    """

    keys: "array[int]" = field(default_factory=partial(array, "Q"))
    numbers: "array[int]" = field(default_factory=partial(array, "I"))
    values: list[bytes] = field(default_factory=list)

    def get(self, key: int) -> bytes | None:
        """The fact of *key*, or None."""
        at = bisect_left(self.keys, key)
        if at < len(self.keys) and self.keys[at] == key:
            return self.values[self.numbers[at]]
        return None

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

    def __init__(self, earlier: Facts) -> None:
        self._earlier, self._began = earlier, time.time_ns()
        self._keys, self._numbers = array("Q"), array("I")
        self._values: dict[bytes, int] = {}

    def every(
        self,
        paths: Sequence[str],
        read: Callable[[Sequence[int]], Iterator[bytes | None]],
        kind: str,
    ) -> Iterator[bytes | None]:
        """What :func:`all_recalled` gives."""
        keys = array("Q", (self._key(path, kind) for path in paths))
        values = [self._earlier.get(key) if key else None for key in keys]
        fresh = read([number for number, value in enumerate(values) if value is None])
        for key, earlier in zip(keys, values, strict=True):
            value = next(fresh) if earlier is None else earlier
            if value is not None:
                self._note(key, value)
            yield value
        for _ in fresh:
            pass  # which ends what shows its progress

    def _key(self, path: str, kind: str) -> int:
        """The key of the file as it is now; UNKNOWN where it may change without a trace."""
        try:
            state = os.stat(path)
        except OSError:
            return states.UNKNOWN
        if not states.settled(state, self._began):
            return states.UNKNOWN
        text = os.fsencode(path) + b"\0" + states.described(state) + kind.encode()
        return states.hashed(text)

    def _note(self, key: int, value: bytes) -> None:
        if key and (value in self._values or len(self._values) < MOST):
            self._keys.append(key)
            self._numbers.append(self._values.setdefault(value, len(self._values)))

    def facts(self) -> Facts:
        """All that this run met, for the next one."""
        return Facts.ordered(self._keys, self._numbers, [*self._values])


_learning: ContextVar[Learning | None] = ContextVar("segprep_facts", default=None)


@contextmanager
def learning(earlier: Facts) -> Iterator[None]:
    """Recall *earlier* facts, and note those of all files met."""
    token = _learning.set(Learning(earlier))
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
