"""Numbers that change when the files of a sample do, or what they are made of: by size, time and
inode alone.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from segprep.conversion.run_notes import pictures_of
from segprep.conversion.sample_files import SampleTask
from segprep.dataset.tree import IMAGES, MASKS, OBJECTS
from segprep.files import states
from segprep.files.states import UNKNOWN
from segprep.packed_items import PackedItems


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


@dataclass(frozen=True, slots=True)
class Signed:
    """The *signature* of a sample, UNKNOWN for none, its *layout*, None where only the record tells
    its files, the key of the *picture* that other samples may be made of, 0 for none, and the key
    of the states of its *outputs* while they are as recorded, UNKNOWN for none.
    """

    signature: int
    layout: FileLayout | None
    picture: int = 0
    outputs: int = UNKNOWN


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

    def layout(
        self, number: int, record: Mapping[str, Any], files: Sequence[str]
    ) -> FileLayout | None:
        """The layout of the item of this *number*, whose *files* and record (as JSON) these are;
        None where only the record tells its files and what was not painted, or there is no item.
        """
        if number < 0 or not self._root or record.get("unpainted"):
            return None
        inner = {file.removeprefix(self._root).replace(os.sep, "/") for file in files}
        suffix = record["image"].removeprefix(f"{IMAGES}/{record['stem']}")
        others, beside = record["inputs"].keys() - inner, tuple[str, ...]()
        if others:
            start = self._start(number, files)
            full = {f"{self._root}{name}".replace("/", os.sep) for name in others}
            beside = tuple(sorted(name[len(start) :] for name in full if name.startswith(start)))
        layout = FileLayout(suffix, record["objects"] is not None, beside)
        if len(beside) < len(others) or any(os.sep in end for end in beside):
            return None
        whole = record["digests"].keys() == set(layout.names(record["stem"]))
        return layout if whole and inner <= record["inputs"].keys() else None

    def _start(self, number: int, files: Sequence[str]) -> str:
        """The path of the first label among the *files* of an item, less its extension."""
        return os.path.splitext(self._items.label_of(number, files))[0]

    def of_item(self, number: int, layout: FileLayout) -> int:
        """The signature of the item of this *number*: its files, its payload, and how it is
        converted.
        """
        outputs = self.files(layout.names(self._items.stems[number]))
        files = self._items.files(number)
        return self._of_item(number, layout, _described(outputs, self._began), files)

    def _of_item(
        self, number: int, layout: FileLayout, outputs: bytes, files: Sequence[str]
    ) -> int:
        inputs = files
        if layout.beside:
            start = self._start(number, files)
            inputs = [*files, *(start + end for end in layout.beside)]
        return self._signed(self._how + self._items.key(number, files), outputs, inputs)

    def of_record(self, record: Mapping[str, Any]) -> int:
        """The signature of the sample of a *record* (as JSON), by the files alone."""
        return self._of_record(record, _described(self.files(record["digests"]), self._began))

    def _of_record(self, record: Mapping[str, Any], outputs: bytes) -> int:
        inputs = [
            self._root + name if self._root and ".." not in name else str(self._task.located(name))
            for name in record["inputs"]
        ]
        return self._signed(b"", outputs, inputs)

    def files(self, names: Iterable[str]) -> list[os.stat_result]:
        """The states of files in the tree; none where one is absent."""
        try:
            return [os.stat(self._out + name) for name in names]
        except OSError:
            return []

    def signed(
        self,
        number: int,
        record: Mapping[str, Any],
        files: Sequence[os.stat_result],
        moment: int,
        *,
        renamed: bool = False,
    ) -> Signed:
        """What is signed of the item of this *number*, -1 for none, with its *record* as JSON and
        its *files* in the tree, which were as recorded at the *moment* (nanoseconds) or later, and
        *renamed* since.
        """
        outputs = _described(files, moment, renamed=renamed)
        key = states.key(files) if outputs else UNKNOWN
        digest = record["digests"].get(record["image"], "")
        pictures = [key for key, _ in pictures_of(record["inputs"], record["source"], digest)]
        inputs = self._items.files(number) if number >= 0 else []
        if len(pictures) < 2 and (layout := self.layout(number, record, inputs)):
            picture = pictures[0] if pictures else 0
            return Signed(self._of_item(number, layout, outputs, inputs), layout, picture, key)
        return Signed(self._of_record(record, outputs), None, 0, key)

    def _signed(self, how: bytes, outputs: bytes, inputs: Iterable[str]) -> int:
        """The signature of *inputs* and what is made of them; UNKNOWN without *outputs*."""
        lines = [how, outputs]
        for path in inputs if outputs else ():
            try:
                state = os.stat(path)
            except OSError:
                lines.append(b"absent;")
                continue
            if not states.settled(state, self._began):
                return UNKNOWN
            lines.append(states.described(state))
        return states.hashed(b"".join(lines)) if outputs else UNKNOWN


def _described(files: Sequence[os.stat_result], moment: int, *, renamed: bool = False) -> bytes:
    """The states of *files* as text; nothing where one may have changed after the *moment*."""
    if not all(states.settled(state, moment, renamed=renamed) for state in files):
        return b""
    return b"".join(map(states.described, files))
