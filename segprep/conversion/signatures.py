"""Numbers that change when the files of a sample do, or what they are made of: by size, time and
inode alone.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from segprep.conversion.run_notes import pictures_of
from segprep.conversion.sample_files import SampleTask, Written
from segprep.dataset.tree import IMAGES, MASKS, OBJECTS
from segprep.files import states
from segprep.files.states import UNKNOWN
from segprep.packed_items import PackedItems, key_of
from segprep.types import Item, Record


@dataclass(frozen=True, slots=True)
class FileLayout:
    """The files of nearly all samples: the image with this *suffix*, the mask, its *objects*; they
    are made of the files of the item and of those *beside* its first label, which differ from that
    in their ends alone, and of no others.
    """

    suffix: str
    objects: bool
    beside: tuple[str, ...] = ()

    def names(self, stem: str) -> list[str]:
        """The files of the sample *stem*, relative to the tree."""
        names = [f"{IMAGES}/{stem}{self.suffix}", f"{MASKS}/{stem}.png"]
        return [*names, f"{OBJECTS}/{stem}.png"] if self.objects else names


class Signed(NamedTuple):
    """The *signature* of a sample, UNKNOWN for none, its *layout*, None where only the record tells
    its files, the key of the *picture* that other samples may be made of, 0 for none, and the key
    of the states of its *outputs* while they are as recorded, UNKNOWN for none. *latest*: the sum
    of the times when these were touched last (nanoseconds), where they were just written.
    """

    signature: int = UNKNOWN
    layout: FileLayout | None = None
    picture: int = 0
    outputs: int = UNKNOWN
    latest: int = 0

    @property
    def pictures(self) -> tuple[int, ...] | None:
        """The keys of the pictures that other samples may be made of, None where the record tells
        them.
        """
        if self.layout is None:
            return None
        return (self.picture,) if self.picture else ()


class ItemFiles(NamedTuple):
    """The paths of the *files* of an item, its first *label* among them, and bytes (*key*) that
    differ where two items do.
    """

    files: Sequence[str]
    label: str
    key: bytes


Look = Callable[[str], os.stat_result | None]  # path -> its state, None where there is no file


class Signer:
    """The signatures of the samples that *task* makes of *items*. A file that may have changed
    after the moment *began* (nanoseconds), when the run had not yet read it, makes it UNKNOWN.
    """

    def __init__(self, task: SampleTask, items: PackedItems, *, began: int) -> None:
        self._task, self._items, self._began = task, items, began
        self._out = f"{task.out}{os.sep}"
        self._root = "" if task.archives.unpacked else f"{task.root}{os.sep}"
        how = task.image_format, task.ids, task.strip_metadata
        self._how = repr(how).encode("utf-8", "backslashreplace")
        self._kind: tuple[Any, str | None] = None, None  # of the item before, and what it says
        self._told = repr(self._kind)
        self._same: FileLayout | None = None  # the layout before

    def of_item(self, number: int, layout: FileLayout) -> int:
        """The signature of the item of this *number*: its files, its payload, and how it is
        converted.
        """
        outputs = self.files(layout.names(self._items.stems[number]))
        return self._of_item(self._own(number), layout, _described(outputs, self._began), _state)

    def of_record(self, record: Record) -> int:
        """The signature of the sample of a *record*, by the files alone."""
        outputs = _described(self.files(record.digests), self._began)
        return self._of_record(record, outputs, _state)

    def files(self, names: Iterable[str]) -> list[os.stat_result]:
        """The states of files in the tree; none where one is absent."""
        try:
            return [os.stat(self._out + name) for name in names]
        except OSError:
            return []

    def signed(
        self,
        number: int,
        record: Record,
        files: Sequence[os.stat_result],
        moment: int,
        *,
        renamed: bool = False,
    ) -> Signed:
        """What is signed of the item of this *number*, -1 for none, with its *record* and its
        *files* in the tree, which were as recorded at the *moment* (nanoseconds) or later, and
        *renamed* since.
        """
        outputs = _described(files, moment, renamed=renamed)
        key = states.key(files) if outputs else UNKNOWN
        own = self._own(number) if number >= 0 else None
        return self._signed(record, own, outputs, key, _state)

    def written(self, item: Item, done: Written) -> Signed:
        """What is signed of *item* by the states that its files had when it was *done*, whatever
        has settled since; nothing where somebody read a file without looking at its state.
        """
        if not (self._root and done.outputs):
            return Signed()
        looked = dict[str, os.stat_result | None]()
        for path, content in done.inputs.contents.items():
            if content is None:
                looked[str(path)] = None
            elif path in done.inputs.states:
                looked[str(path)] = done.inputs.states[path]
        outputs = b"".join(map(states.described, done.outputs))
        own, key = self._of(item), states.hashed(outputs)
        try:
            signed = self._signed(done.record, own, outputs, key, looked.__getitem__)
        except KeyError:  # one of the files was read elsewhere
            return Signed()
        return signed._replace(latest=sum(map(states.latest, done.outputs)))

    def _of(self, item: Item) -> ItemFiles:
        if item.payload is not self._kind[0] or item.group != self._kind[1]:
            self._kind = item.payload, item.group
            self._told = repr(self._kind)
        files = [str(path) for path in (item.image, *item.labels) if path is not None]
        imaged = int(item.image is not None)
        return ItemFiles(files, files[imaged], key_of(item.stem, files, self._told, imaged=imaged))

    def _own(self, number: int) -> ItemFiles:
        files = self._items.files(number)
        return ItemFiles(files, self._items.label_of(number, files), self._items.key(number, files))

    def _signed(
        self, record: Record, own: ItemFiles | None, outputs: bytes, key: int, look: Look
    ) -> Signed:
        digest = record.digests.get(record.image, "")
        every = pictures_of(record.inputs, record.source, digest)
        pictures = [key for key, _ in islice(every, 2)]  # two are as good as all
        if own and len(pictures) < 2 and (layout := self._layout(record, own)):
            if layout == self._same:  # one object is sent from process to process once
                layout = self._same
            self._same = layout
            signature = self._of_item(own, layout, outputs, look)
            return Signed(signature, layout, pictures[0] if pictures else 0, key)
        return Signed(self._of_record(record, outputs, look), None, 0, key)

    def _layout(self, record: Record, own: ItemFiles) -> FileLayout | None:
        """The layout of a sample with this *record*, made of an item's *own* files; None where only
        the record tells its files and what was not painted.
        """
        if not self._root or record.unpainted:
            return None
        inner = {file.removeprefix(self._root).replace(os.sep, "/") for file in own.files}
        suffix = record.image.removeprefix(f"{IMAGES}/{record.stem}")
        others, beside = record.inputs.keys() - inner, tuple[str, ...]()
        if others:
            start = os.path.splitext(own.label)[0]
            full = {f"{self._root}{name}".replace("/", os.sep) for name in others}
            beside = tuple(sorted(name[len(start) :] for name in full if name.startswith(start)))
        layout = FileLayout(suffix, record.objects is not None, beside)
        if len(beside) < len(others) or any(os.sep in end for end in beside):
            return None
        whole = record.digests.keys() == set(layout.names(record.stem))
        return layout if whole and inner <= record.inputs.keys() else None

    def _of_item(self, own: ItemFiles, layout: FileLayout, outputs: bytes, look: Look) -> int:
        inputs = own.files
        if layout.beside:
            start = os.path.splitext(own.label)[0]
            inputs = [*inputs, *(start + end for end in layout.beside)]
        return self._hashed(self._how + own.key, outputs, inputs, look)

    def _of_record(self, record: Record, outputs: bytes, look: Look) -> int:
        inputs = [
            self._root + name if self._root and ".." not in name else str(self._task.located(name))
            for name in record.inputs
        ]
        return self._hashed(b"", outputs, inputs, look)

    def _hashed(self, how: bytes, outputs: bytes, inputs: Iterable[str], look: Look) -> int:
        """The signature of *inputs* and what is made of them; UNKNOWN without *outputs*."""
        lines = [how, outputs]
        for path in inputs if outputs else ():
            state = look(path)
            if state is None:
                lines.append(b"absent;")
            elif states.settled(state, self._began):
                lines.append(states.described(state))
            else:
                return UNKNOWN
        return states.hashed(b"".join(lines)) if outputs else UNKNOWN


def _state(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except OSError:
        return None


def _described(files: Sequence[os.stat_result], moment: int, *, renamed: bool = False) -> bytes:
    """The states of *files* as text; nothing where one may have changed after the *moment*."""
    if not all(states.settled(state, moment, renamed=renamed) for state in files):
        return b""
    return b"".join(map(states.described, files))
