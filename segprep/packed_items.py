"""Items in little memory: one buffer instead of objects each."""

import os
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segprep.files import path_keys
from segprep.files.path_keys import Keys
from segprep.packed import LazySequence, PackedNames, PackedPaths, rebased
from segprep.types import Item


class PackedItems(LazySequence[Item]):
    """Items in the order in which they were added: the bytes of their names, about fifty more each,
    and their payloads, which cost nothing where one follows the same one.
    """

    def __init__(self, items: Iterable[Item] = ()) -> None:
        self.stems, self._paths = PackedNames(), PackedPaths()
        self._starts, self._imaged = array("Q", [0]), bytearray()
        self._kinds, self._kind = list[tuple[Any, str | None]](), array("I")
        for item in items:
            self.append(item)

    @staticmethod
    def of(items: Sequence[Item]) -> "PackedItems":
        """*items*, packed unless they are."""
        return items if isinstance(items, PackedItems) else PackedItems(items)

    def append(self, item: Item) -> None:
        """Add *item*."""
        paths = [os.path.split(path) for path in (item.image, *item.labels) if path is not None]
        self.add(item.stem, paths, item.payload, item.group, imaged=item.image is not None)

    def add(
        self,
        stem: str,
        paths: Iterable[tuple[str, str]],
        payload: Any,
        group: str | None = None,
        *,
        imaged: bool = True,
    ) -> None:
        """Add an item; *paths*: folder and name of its image, if it is *imaged*, and labels."""
        self.stems.append(stem)
        for folder, name in paths:
            self._paths.add(folder, name)
        self._starts.append(len(self._paths))
        self._imaged.append(imaged)
        if not (self._kinds and self._kinds[-1][0] is payload and self._kinds[-1][1] == group):
            self._kinds.append((payload, group))
        self._kind.append(len(self._kinds) - 1)

    def add_all(
        self,
        stems: PackedNames,
        folders: Sequence[str],
        homes: NDArray[np.int64],
        names: PackedNames,
        payloads: Sequence[Any],
        kinds: NDArray[np.int64],
    ) -> None:
        """Add an item for each of *stems*, whose image and labels, of all as many, are the next
        ones of *names*, each in the one of *folders* of its number among *homes*; it has the one of
        *payloads* of its number among *kinds*.
        """
        count, first, own = len(stems), self._starts[-1], len(self._kinds)
        each = len(names) // max(1, count)
        self.stems.extend(stems, range(count))
        self._paths.extend(folders, homes, names)
        self._starts.frombytes((first + each * np.arange(1, count + 1)).tobytes())
        self._imaged += b"\1" * count
        self._kind.frombytes((kinds + own).astype(np.uint32).tobytes())
        self._kinds += [(payload, None) for payload in payloads]

    def cut(self, start: int, stop: int) -> "PackedItems":
        """The items from *start* to *stop*, packed."""
        items, ends, kinds = PackedItems(), self._starts[start : stop + 1], self._kind[start:stop]
        numbers = {kind: number for number, kind in enumerate(sorted(set(kinds)))}
        items.stems, items._paths = self.stems.cut(start, stop), self._paths.cut(ends[0], ends[-1])
        items._starts, items._imaged = rebased(ends, ends[0]), self._imaged[start:stop]
        items._kinds = [*map(self._kinds.__getitem__, numbers)]
        items._kind = array("I", map(numbers.__getitem__, kinds))
        return items

    def files(self, number: int) -> list[str]:
        """The paths of one item: its image, if it has one, and its labels."""
        return self._paths.texts(self._starts[number], self._starts[number + 1])

    def buffers(self) -> "tuple[PackedPaths, array[int], bytearray, array[int]]":
        """The paths of all items, where those of each start, whether the first is an image, and
        its kind, see :meth:`told`: to look at.
        """
        return self._paths, self._starts, self._imaged, self._kind

    def told(self, kind: int) -> str:
        """What distinguishes the items of one kind: their payload and group."""
        return repr(self._kinds[kind])

    def payloads(self) -> Iterator[tuple[int, Any]]:
        """The number of each kind, and its payload."""
        return ((number, payload) for number, (payload, _) in enumerate(self._kinds))

    def payload(self, number: int) -> Any:
        """The payload of one item."""
        return self._kinds[self._kind[number]][0]

    def with_payload(self, payload: Any) -> "PackedItems":
        """The same items with one *payload* for all, and no groups; nothing is copied."""
        items = PackedItems()
        items.stems, items._paths = self.stems, self._paths
        items._starts, items._imaged = self._starts, self._imaged
        items._kinds, items._kind = [(payload, None)], array("I", bytes(4 * len(self)))
        return items

    def with_stems(self, stems: PackedNames) -> "PackedItems":
        """The same items under other *stems*, one for each; nothing else is copied."""
        items = PackedItems()
        items.stems, items._paths = stems, self._paths
        items._starts, items._imaged = self._starts, self._imaged
        items._kinds, items._kind = self._kinds, self._kind
        return items

    def chosen(self, numbers: Sequence[int]) -> "PackedItems":
        """The items of these *numbers*, in their order; these themselves where it is all of them in
        order.
        """
        if len(numbers) == len(self) and (np.diff(np.asarray(numbers)) == 1).all():
            return self
        items = PackedItems()
        for number in numbers:
            start, end = self._starts[number], self._starts[number + 1]
            paths = (self._paths.part(at) for at in range(start, end))
            kind = self._kinds[self._kind[number]]
            items.add(self.stems[number], paths, *kind, imaged=bool(self._imaged[number]))
        return items

    def label(self, number: int) -> str:
        """The path of the first label of one item."""
        return os.path.join(*self._paths.part(self._starts[number] + self._imaged[number]))

    def labeled(self) -> "array[int]":
        """The numbers of the items whose first label is not their image."""
        every, imaged = np.frombuffer(self._starts, np.int64)[:-1], np.frombuffer(self._imaged, "b")
        keys = path_keys.keys_of_paths(self._paths, every)
        labels = path_keys.keys_of_paths(self._paths, every + imaged)
        apart = np.flatnonzero((keys != labels) | (imaged == 0))
        return array("I", apart.astype(np.uint32).tobytes())

    def __len__(self) -> int:
        return len(self._kind)

    def _value(self, number: int) -> Item:
        paths = self._paths[self._starts[number] : self._starts[number + 1]]
        image = paths.pop(0) if self._imaged[number] else None
        payload, group = self._kinds[self._kind[number]]
        return Item(self.stems[number], image, tuple(paths), payload, group)


class FirstLabels(LazySequence[Path]):
    """The first label of all *items* that have one beside their image."""

    def __init__(self, items: PackedItems) -> None:
        self._items = items
        self._numbers = items.labeled()

    def __len__(self) -> int:
        return len(self._numbers)

    def keys(self) -> Keys:
        """The keys of all paths, see :func:`path_keys.keys_of`."""
        paths, starts, imaged, _ = self._items.buffers()
        chosen = np.frombuffer(self._numbers, np.uint32)
        places = np.frombuffer(starts, np.int64)[chosen] + np.frombuffer(imaged, np.uint8)[chosen]
        return path_keys.keys_of_paths(paths, places)

    def _value(self, number: int) -> Path:
        return Path(self._items.label(self._numbers[number]))

    def text(self, number: int) -> str:
        """One path as text, which takes a third of the time."""
        return self._items.label(self._numbers[number])


@dataclass(frozen=True, slots=True)
class PathTexts(LazySequence[str]):
    """The *paths* as text."""

    paths: Sequence[Path]

    def __len__(self) -> int:
        return len(self.paths)

    def keys(self) -> Keys:
        """The keys of all paths, see :func:`path_keys.keys_of`."""
        if isinstance(self.paths, FirstLabels):
            return self.paths.keys()
        return path_keys.keys_of_list([*map(os.fsencode, self)])

    def _value(self, number: int) -> str:
        paths = self.paths
        return paths.text(number) if isinstance(paths, FirstLabels) else str(paths[number])
