"""Work cut into chunks that take a worker about as long as handing them over is worth."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from segprep.packed import LazySequence

Element = TypeVar("Element")
MOST = 2048  # items of one chunk: a file of no work at all


class Chunks(Generic[Element]):
    """The chunks of *items*, in order: *first* items long until it is known how long one takes,
    then about *seconds* of work.

    >>> chunks = Chunks(range(10), 4, seconds=0.02)
    >>> chunks.next(), chunks.next()
    (range(0, 4), range(4, 8))
    >>> chunks.took(4, 0.04); chunks.next()
    range(8, 10)
    """

    def __init__(self, items: Sequence[Element], first: int, *, seconds: float) -> None:
        self._items, self._start = items, 0
        self._length, self._seconds = first, seconds
        self._pace = 0.0  # seconds an item, the latest chunks weighing most

    def next(self) -> Sequence[Element]:
        """The next chunk; an empty one at the end."""
        end = self._start + self._length
        items = self._items
        part = (
            items.cut(self._start, end)
            if isinstance(items, LazySequence)
            else items[self._start : end]
        )
        self._start += len(part)
        return part

    def took(self, count: int, seconds: float) -> None:
        """*count* items took a worker *seconds*."""
        pace = max(seconds, 1e-9) / max(count, 1)
        self._pace = pace if not self._pace else (self._pace + pace) / 2
        self._length = max(1, min(MOST, round(self._seconds / self._pace)))


@dataclass(frozen=True, slots=True)
class Timed(Generic[Element]):
    """The *results* of one chunk and the *seconds* that they took."""

    results: list[Element]
    seconds: float
