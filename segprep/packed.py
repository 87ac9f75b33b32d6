"""Long sequences in little memory: values made on demand, and names and paths in one buffer instead
of objects each.
"""

import os
from abc import abstractmethod
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar, overload

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Value_co = TypeVar("Value_co", covariant=True)
_folder = lru_cache(maxsize=8)(Path)  # Path(folder, name) takes twice as long as folder / name


class LazySequence(Sequence[Value_co], Generic[Value_co]):
    """A sequence whose values are made when they are asked for; a slice is a list of them."""

    @abstractmethod
    def _value(self, number: int) -> Value_co:
        """The value at *number*, which is from 0 to the length - 1."""

    def cut(self, start: int, stop: int) -> Sequence[Value_co]:
        """The values from *start* to *stop*, or the end, as something small to send away."""
        return self[start:stop]

    @overload
    def __getitem__(self, at: int) -> Value_co: ...
    @overload
    def __getitem__(self, at: slice) -> list[Value_co]: ...
    def __getitem__(self, at: int | slice) -> Value_co | list[Value_co]:
        if isinstance(at, int) and 0 <= at < len(self):
            return self._value(at)
        numbers = range(len(self))[at]
        if isinstance(numbers, range):
            return [self._value(number) for number in numbers]
        return self._value(numbers)

    def __iter__(self) -> Iterator[Value_co]:
        return map(self._value, range(len(self)))


@dataclass(frozen=True, slots=True)
class Picked(LazySequence[Value_co]):
    """Those of *values* at *numbers*: of a million, none is made before it is asked for."""

    values: Sequence[Value_co]
    numbers: Sequence[int]

    def __len__(self) -> int:
        return len(self.numbers)

    def _value(self, number: int) -> Value_co:
        return self.values[self.numbers[number]]


class PackedNames(LazySequence[str]):
    """Names in the order in which they were added: their bytes, and eight more each.

    >>> names = PackedNames(["b", "a"])
    >>> names[1], names.find("b"), names.find("c"), list(names.ordered())
    ('a', 0, -1, ['a', 'b'])
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._text, self._starts = bytearray(), array("Q", [0])
        self._order: array[int] | None = None  # numbers by name; None while all came in order
        self._next = 0  # the place in that order after the name that was found last
        for name in names:
            self.append(name)

    @classmethod
    def of(cls, text: bytearray, starts: "array[int]") -> "PackedNames":
        """The names in *text*, each from one of *starts* to the next one; these are not copied."""
        names = cls()
        names._text, names._starts = text, starts
        return names

    def buffers(self) -> tuple[bytearray, "array[int]"]:
        """The bytes of all names, and where each starts, and the last one ends: to look at."""
        return self._text, self._starts

    def append(self, name: str) -> None:
        """Add *name*, which may be any text, also one that is there."""
        if self._order is not None:
            self._order = None
            self._next = 0
        self._text += name.encode("utf-8", "surrogatepass")
        self._starts.append(len(self._text))

    def add_all(self, names: Sequence[str]) -> None:
        """Add these *names*."""
        self._order, self._next = None, 0
        text = "".join(names)
        if text.isascii():
            lengths = map(len, names)
            self._starts.extend(islice(accumulate(lengths, initial=self._starts[-1]), 1, None))
            self._text += text.encode()
        else:
            for name in names:
                self.append(name)

    def extend(self, names: "PackedNames", numbers: "Sequence[int] | NDArray[np.int64]") -> None:
        """Add those of *names* of these *numbers*, which rise."""
        import numpy as np  # most who have names need none of it

        if not len(numbers):
            return
        self._order, self._next = None, 0
        starts = np.frombuffer(names._starts, np.int64)
        if isinstance(numbers, range):
            places = starts[numbers[0] : numbers[-1] + 2]
            self._starts.frombytes((places[1:] + (len(self._text) - places[0])).tobytes())
            self._text += memoryview(names._text)[places[0] : places[-1]]
            return
        chosen = np.asarray(numbers, np.int64)
        gaps = np.flatnonzero(np.diff(chosen) != 1) + 1
        firsts, ends = chosen[[0, *gaps]], chosen[[*(gaps - 1), -1]] + 1
        lengths = starts[chosen + 1] - starts[chosen]
        self._starts.frombytes((np.cumsum(lengths) + len(self._text)).tobytes())
        for start, end in zip(starts[firsts].tolist(), starts[ends].tolist(), strict=True):
            self._text += names._text[start:end]

    def is_ascii(self) -> bool:
        """Whether all names are ASCII text."""
        return self._text.isascii()

    def joined(self) -> str:
        """All names, one right after the other."""
        return self._text.decode("utf-8", "surrogatepass")

    def find(self, name: str) -> int:
        """The number of *name*, of the last one where there are several; -1 where there is none.
        Names that are asked for in order are found at once.
        """
        order = self.in_order()
        text = bytearray(name, "utf-8", "surrogatepass")
        at = self._next
        if at >= len(order) or self._raw(order[at]) != text:
            at = bisect_right(order, text, key=self._raw) - 1
            if at < 0 or self._raw(order[at]) != text:
                return -1
        while at + 1 < len(order) and self._raw(order[at + 1]) == text:
            at += 1
        self._next = at + 1
        return order[at]

    def cut(self, start: int, stop: int) -> "PackedNames":
        """The names from *start* to *stop*, packed."""
        names, first = PackedNames(), self._starts[start]
        ends = self._starts[start : stop + 1]
        names._text, names._starts = self._text[first : ends[-1]], rebased(ends, first)
        return names

    def ordered(self) -> Iterator[str]:
        """All names in code-point order."""
        return (self[number] for number in self.in_order())

    def _raw(self, number: int) -> bytearray:
        return self._text[self._starts[number] : self._starts[number + 1]]

    def in_order(self) -> Sequence[int]:
        """The numbers of all names, in code-point order."""
        if self._order is None:
            numbers = range(len(self))
            if all(first <= second for first, second in pairwise(map(self._raw, numbers))):
                self._order = array("I", numbers)
            else:
                self._order = array("I", sorted(numbers, key=self._raw))
        return self._order

    def __len__(self) -> int:
        return len(self._starts) - 1

    def _value(self, number: int) -> str:
        text = self._text[self._starts[number] : self._starts[number + 1]]
        return text.decode("utf-8", "surrogatepass")

    def __iter__(self) -> Iterator[str]:
        start = 0
        for end in islice(self._starts, 1, None):
            yield self._text[start:end].decode("utf-8", "surrogatepass")
            start = end

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.find(name) >= 0


class PackedPaths(LazySequence[Path]):
    """Paths in the order in which they were added: the bytes of their names, twelve more each, and
    their folders, which should come one after the other.
    """

    def __init__(self) -> None:
        self._names, self._homes, self._folders = PackedNames(), array("I"), list[str]()

    def add(self, folder: str, name: str) -> None:
        """Add the file *name* in *folder*."""
        home = self._homes[-1] if self._homes else -1
        if home < 0 or folder != self._folders[home]:
            home = self._folder(folder)
        self._homes.append(home)
        self._names.append(name)

    def _folder(self, folder: str) -> int:
        """The number of *folder*, which is a new one unless it is among the last few."""
        recent = self._folders[-8:]  # images and masks come in turn
        if folder in recent:
            return len(self._folders) - len(recent) + recent.index(folder)
        self._folders.append(folder)
        return len(self._folders) - 1

    def add_all(self, folder: str, names: Sequence[str]) -> None:
        """Add the files of these *names* in *folder*."""
        if names:
            self.add(folder, names[0])
            self._homes.extend([self._homes[-1]] * (len(names) - 1))
            self._names.add_all(names[1:])

    def extend(
        self, folders: Sequence[str], homes: "NDArray[np.int64]", names: PackedNames
    ) -> None:
        """Add these *names*, each in the one of *folders* of its number among *homes*."""
        import numpy as np

        own = np.array([*map(self._folder, folders)], np.uint32)
        self._homes.frombytes(own[homes].tobytes())
        self._names.extend(names, range(len(names)))

    def append(self, path: Path) -> None:
        """Add *path*."""
        self.add(*os.path.split(path))

    def cut(self, start: int, stop: int) -> "PackedPaths":
        """The paths from *start* to *stop*, packed."""
        paths, homes = PackedPaths(), self._homes[start:stop]
        numbers = {home: number for number, home in enumerate(sorted(set(homes)))}
        paths._names, paths._folders = (
            self._names.cut(start, stop),
            [*map(self._folders.__getitem__, numbers)],
        )
        paths._homes = array("I", map(numbers.__getitem__, homes))
        return paths

    def parts(self) -> Iterator[tuple[str, str]]:
        """Folder and name of every path."""
        return zip((self._folders[home] for home in self._homes), self._names, strict=True)

    def part(self, number: int) -> tuple[str, str]:
        """Folder and name of one path."""
        return self._folders[self._homes[number]], self._names._value(number)

    def texts(self, start: int, stop: int) -> list[str]:
        """The paths from number *start* to *stop* as text."""
        parts = map(self.part, range(start, stop))
        return [f"{folder}{os.sep}{name}" if folder else name for folder, name in parts]

    def buffers(self) -> "tuple[PackedNames, array[int], list[str]]":
        """The names, the numbers of their folders, and these: to look at."""
        return self._names, self._homes, self._folders

    def chosen(self, numbers: Iterable[int]) -> "PackedPaths":
        """The paths of these *numbers*, in their order."""
        paths = PackedPaths()
        for number in numbers:
            paths.add(*self.part(number))
        return paths

    def __len__(self) -> int:
        return len(self._homes)

    def _value(self, number: int) -> Path:
        return _folder(self._folders[self._homes[number]]) / self._names._value(number)


def rebased(ends: "array[int]", first: int) -> "array[int]":
    """*ends* counted from *first* on."""
    return array("Q", [end - first for end in ends]) if first else ends
