"""The signatures of very many samples at once: numbers that change when a sample's files do, or
what they are made of, by size, time and inode alone.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segprep.conversion.sample_files import SampleTask
from segprep.conversion.signatures import FileLayout
from segprep.dataset.tree import IMAGES, MASKS, OBJECTS
from segprep.files import path_keys, state_tables, states
from segprep.files.path_keys import Keys
from segprep.files.state_tables import ABSENT, StateTable
from segprep.files.states import UNKNOWN
from segprep.packed import LazySequence, PackedNames
from segprep.packed_items import PackedItems

Numbers = NDArray[np.int64]
_AT_ONCE = 1 << 13  # samples


class BulkSigner:
    """The signatures of the samples that *task* makes of *items*, whose files had the states of
    *inputs* before the run read any of them.
    """

    def __init__(self, task: SampleTask, items: PackedItems, inputs: StateTable) -> None:
        self._task, self._items, self._inputs = task, items, inputs
        how = task.image_format, task.ids, task.strip_metadata
        self._how = path_keys.key(repr(how).encode("utf-8", "backslashreplace"))
        self._kinds: dict[int, int] = {}
        folders = items.buffers()[0].buffers()[2]
        self._folders = np.array([*map(path_keys.folder_key, folders)], np.uint64)

    def sign(
        self, items: Numbers, kinds: NDArray[np.uint8], layouts: Sequence[FileLayout], outputs: Keys
    ) -> Keys:
        """The signatures of the *items* of these numbers, which have a layout each, by number from
        1, and *outputs* in states of these numbers; UNKNOWN where these are, or an input is.
        """
        result = np.full(len(items), UNKNOWN, np.uint64)
        for part, layout in _groups(kinds, layouts):
            result[part] = self._signed(items[part], layout, outputs[part])
        return result

    def _signed(self, items: Numbers, layout: FileLayout, outputs: Keys) -> Keys:
        _, ends, flags, of_kind = self._items.buffers()
        starts, imaged = np.frombuffer(ends, np.int64), np.frombuffer(flags, np.uint8)
        keys = path_keys.spans(*_chosen(self._items.stems, items), self._how)
        keys = path_keys.mixed(keys, self._told(np.frombuffer(of_kind, np.uint32)[items]))
        keys = path_keys.mixed(keys, path_keys.key(repr(layout).encode("utf-8", "surrogatepass")))
        keys = path_keys.mixed(keys, imaged[items].astype(np.uint64))
        keys = path_keys.mixed(keys, outputs)
        certain, first = outputs != UNKNOWN, starts[items]
        counts = starts[items + 1] - first
        for at in range(int(counts.max(initial=0))):
            has = np.flatnonzero(counts > at)
            own = self._of_paths(first[has] + at)
            keys[has] = path_keys.mixed(keys[has], own)
            certain[has] &= own != UNKNOWN
        for end in layout.beside:
            own = self._beside(first + imaged[items], end)
            keys = path_keys.mixed(keys, own)
            certain &= own != UNKNOWN
        return np.where(certain, np.maximum(keys, np.uint64(1)), np.uint64(UNKNOWN))

    def _told(self, kinds: NDArray[np.uint32]) -> Keys:
        """A key of the payload and group of each of *kinds*."""
        values, inverse = np.unique(kinds, return_inverse=True)
        for kind in values.tolist():
            if kind not in self._kinds:
                told = self._items.told(kind).encode("utf-8", "surrogatepass")
                self._kinds[kind] = states.hashed(told)
        keys = np.array([self._kinds[kind] for kind in values.tolist()], np.uint64)
        return keys[inverse]

    def _of_paths(self, places: Numbers) -> Keys:
        """The numbers of the items' paths at these *places*."""
        names, homes, _ = self._items.buffers()[0].buffers()
        folders = self._folders[np.frombuffer(homes, np.uint32)[places]]
        keys = path_keys.spans(*_chosen(names, places), folders)
        return self._inputs.find(keys, folders, _Paths(self._items, places))

    def _beside(self, places: Numbers, end: str) -> Keys:
        """The numbers of the files beside the labels at *places*, which end in *end* instead."""
        names, homes, _ = self._items.buffers()[0].buffers()
        folders = self._folders[np.frombuffer(homes, np.uint32)[places]]
        text, starts, ends = _chosen(names, places)
        stops = path_keys.without_extension(text, starts, ends)
        keys = path_keys.longer(path_keys.spans(text, starts, stops, folders), os.fsencode(end))
        own = self._inputs.find(keys, folders, _Paths(self._items, places, end))
        return np.where(text[starts] == ord("."), np.uint64(UNKNOWN), own)

    def outputs(
        self,
        stems: PackedNames,
        numbers: Numbers,
        kinds: NDArray[np.uint8],
        layouts: Sequence[FileLayout],
        tree: StateTable,
    ) -> Keys:
        """The numbers of the states that the files of the samples have in *tree*: those of the
        *stems* of these *numbers*, which have a layout each; UNKNOWN where one is missing.
        """
        result = np.full(len(numbers), UNKNOWN, np.uint64)
        for part, layout in _groups(kinds, layouts):
            ends = {IMAGES: layout.suffix, MASKS: ".png"}
            if layout.objects:
                ends[OBJECTS] = ".png"
            own = list[Keys]()
            for folder, end in ends.items():
                home = path_keys.folder_key(self._task.out / folder)
                keys = path_keys.spans(*_chosen(stems, numbers[part]), home)
                keys = path_keys.longer(keys, end.encode("utf-8", "surrogatepass"))
                own.append(tree.find(keys, home))
            result[part] = together(own)
        return result


def together(files: Sequence[Keys]) -> Keys:
    """The number of the states of several *files* of each sample; UNKNOWN where that of one is, or
    there is none.
    """
    certain, result = np.ones(len(files[0]), bool), np.zeros(len(files[0]), np.uint64)
    for own in files:
        certain &= (own != UNKNOWN) & (own != ABSENT)
        result = path_keys.mixed(result, own)
    return np.where(certain, np.maximum(result, np.uint64(1)), np.uint64(UNKNOWN))


def numbers_written(rows: bytes | bytearray, files: int) -> Keys:
    """The numbers of samples of so many *files* each, whose states are packed in *rows*."""
    every = state_tables.numbers(np.frombuffer(rows, np.int64).reshape(-1, 5))
    return together([every[at::files] for at in range(files)])


def places_of(keys: Keys, wanted: Keys) -> Numbers:
    """For each of *wanted* its place among *keys*, which are all different; -1 without one."""
    if not len(keys):
        return np.full(len(wanted), -1, np.int64)
    order = np.argsort(keys)
    at = order[np.minimum(np.searchsorted(keys, wanted, sorter=order), len(keys) - 1)]
    return np.where(keys[at] == wanted, at, -1)


def _groups(
    kinds: NDArray[np.uint8], layouts: Sequence[FileLayout]
) -> Iterator[tuple[Numbers, FileLayout]]:
    """The places of the samples of each layout, not too many at once."""
    for kind, layout in enumerate(layouts, 1):
        places = np.flatnonzero(kinds == kind)
        for first in range(0, len(places), _AT_ONCE):
            yield places[first : first + _AT_ONCE], layout


def _chosen(names: PackedNames, numbers: Numbers) -> tuple[NDArray[np.uint8], Numbers, Numbers]:
    """The bytes of *names*, and where those of these *numbers* start and end."""
    text, starts = path_keys.parts(names)
    return text, starts[numbers], starts[numbers + 1]


@dataclass(frozen=True, slots=True)
class _Paths(LazySequence[str]):
    """The paths at *places* among those of *items*, with another *end* where there is one."""

    items: PackedItems
    places: Numbers
    end: str = ""

    def __len__(self) -> int:
        return len(self.places)

    def _value(self, number: int) -> str:
        path = os.path.join(*self.items.buffers()[0].part(int(self.places[number])))
        return os.path.splitext(path)[0] + self.end if self.end else path
