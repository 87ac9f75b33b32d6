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
from blake3 import blake3

from segprep.files import states

MOST = 1024  # different facts; beyond them, none is worth remembering


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

    def of(self, path: str, read: Callable[[], bytes]) -> bytes:
        """What :func:`recalled` gives."""
        try:
            state = os.stat(path)
        except OSError:
            return read()
        text = os.fsencode(path) + b"\0" + states.described(state)
        key = int.from_bytes(blake3(text).digest(8), "little")
        value = self._earlier.get(key)
        value = read() if value is None else value
        if states.settled(state, self._began) and (
            value in self._values or len(self._values) < MOST
        ):
            self._keys.append(key)
            self._numbers.append(self._values.setdefault(value, len(self._values)))
        return value

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


def recalled(path: str, read: Callable[[], bytes]) -> bytes:
    """What *read* says of the file at *path*, or said when the file was last read as it is now."""
    under_way = _learning.get()
    return under_way.of(path, read) if under_way is not None else read()
