"""Numbers that change when the files of a sample do, or what they are made of: by size, time and
inode alone.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from blake3 import blake3

from segprep.conversion.sample_files import SampleTask
from segprep.dataset.tree import IMAGES, MASKS, OBJECTS
from segprep.files import states
from segprep.packed_items import PackedItems

UNKNOWN = 0


@dataclass(frozen=True, slots=True)
class FileLayout:
    """The files of nearly all samples: the image with this *suffix*, the mask, its *objects*; they
    are made of the files of the item, and of no others.
    """

    suffix: str
    objects: bool

    def names(self, stem: str) -> list[str]:
        """The files of the sample *stem*, relative to the tree."""
        names = [f"{IMAGES}/{stem}{self.suffix}", f"{MASKS}/{stem}.png"]
        return [*names, f"{OBJECTS}/{stem}.png"] if self.objects else names


class Signer:
    """The signatures of the samples that *task* makes of *items*. An output has to have settled by
    *written*, an input by *read* (nanoseconds); else the signature is UNKNOWN.
    """

    def __init__(self, task: SampleTask, items: PackedItems, *, written: int, read: int) -> None:
        self._task, self._items = task, items
        self._written, self._read = written, read
        self._out = f"{task.out}{os.sep}"
        self._root = "" if task.archives.unpacked else f"{task.root}{os.sep}"
        how = task.image_format, task.ids, task.strip_metadata
        self._how = repr(how).encode("utf-8", "backslashreplace")

    def layout(self, number: int, record: Mapping[str, Any]) -> FileLayout | None:
        """The layout of the item of this *number*, whose record (as JSON) this is; None where only
        the record tells its files, or there is no item.
        """
        if number < 0 or not self._root:
            return None
        files = self._items.files(number)
        inner = {file.removeprefix(self._root).replace(os.sep, "/") for file in files}
        suffix = record["image"].removeprefix(f"{IMAGES}/{record['stem']}")
        layout = FileLayout(suffix, record["objects"] is not None)
        if record["digests"].keys() != set(layout.names(record["stem"])):
            return None
        return layout if record["inputs"].keys() == inner else None

    def of_item(self, number: int, layout: FileLayout) -> int:
        """The signature of the item of this *number*: its files, its payload, and how it is
        converted.
        """
        outputs = layout.names(self._items.stems[number])
        key = blake3(self._how + self._items.key(number))
        return self._signed(key, outputs, self._items.files(number))

    def of_record(self, record: Mapping[str, Any]) -> int:
        """The signature of the sample of a *record* (as JSON), by the files alone."""
        inputs = [
            self._root + name if self._root and ".." not in name else str(self._task.located(name))
            for name in record["inputs"]
        ]
        return self._signed(blake3(), record["digests"], inputs)

    def signed(self, number: int, record: Mapping[str, Any]) -> tuple[int, FileLayout | None]:
        """The signature of the item of this *number*, -1 for none, with its *record* as JSON, and
        its layout.
        """
        if layout := self.layout(number, record):
            return self.of_item(number, layout), layout
        return self.of_record(record), None

    def _signed(self, key: Any, outputs: Iterable[str], inputs: Iterable[str]) -> int:
        lines = list[bytes]()
        for path, moment in (
            *((self._out + name, self._written) for name in outputs),
            *((path, self._read) for path in inputs),
        ):
            try:
                state = os.stat(path)
            except OSError:
                lines.append(b"absent;")
                continue
            if not states.settled(state, moment):
                return UNKNOWN
            lines.append(states.described(state))
        key.update(b"".join(lines))
        return int.from_bytes(key.digest(8), "little") or 1
