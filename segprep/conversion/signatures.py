"""Numbers that change when the files of a sample do, or what they are made of: by size, time and
inode alone.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from blake3 import blake3

from segprep.conversion.run_notes import pictures_of
from segprep.conversion.sample_files import SampleTask
from segprep.dataset.tree import IMAGES, MASKS, OBJECTS
from segprep.files import states
from segprep.packed_items import PackedItems

UNKNOWN = 0


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
    its files, and the key of the *picture* that other samples may be made of, 0 for none.
    """

    signature: int
    layout: FileLayout | None
    picture: int = 0


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
        the record tells its files and what was not painted, or there is no item.
        """
        if number < 0 or not self._root or record.get("unpainted"):
            return None
        files = self._items.files(number)
        inner = {file.removeprefix(self._root).replace(os.sep, "/") for file in files}
        suffix = record["image"].removeprefix(f"{IMAGES}/{record['stem']}")
        start, others = self._start(number), record["inputs"].keys() - inner
        full = {f"{self._root}{name}".replace("/", os.sep) for name in others}
        beside = tuple(sorted(name[len(start) :] for name in full if name.startswith(start)))
        layout = FileLayout(suffix, record["objects"] is not None, beside)
        if len(beside) < len(others) or any(os.sep in end for end in beside):
            return None
        whole = record["digests"].keys() == set(layout.names(record["stem"]))
        return layout if whole and inner <= record["inputs"].keys() else None

    def _start(self, number: int) -> str:
        """The path of the first label of an item, less its extension."""
        return os.path.splitext(self._items.label(number))[0]

    def of_item(self, number: int, layout: FileLayout) -> int:
        """The signature of the item of this *number*: its files, its payload, and how it is
        converted.
        """
        outputs = layout.names(self._items.stems[number])
        key = blake3(self._how + self._items.key(number))
        inputs = self._items.files(number)
        if layout.beside:
            start = self._start(number)
            inputs += [start + end for end in layout.beside]
        return self._signed(key, outputs, inputs)

    def of_record(self, record: Mapping[str, Any]) -> int:
        """The signature of the sample of a *record* (as JSON), by the files alone."""
        inputs = [
            self._root + name if self._root and ".." not in name else str(self._task.located(name))
            for name in record["inputs"]
        ]
        return self._signed(blake3(), record["digests"], inputs)

    def signed(self, number: int, record: Mapping[str, Any]) -> Signed:
        """What is signed of the item of this *number*, -1 for none, with its *record* as JSON."""
        digest = record["digests"].get(record["image"], "")
        pictures = [key for key, _ in pictures_of(record["inputs"], record["source"], digest)]
        if len(pictures) < 2 and (layout := self.layout(number, record)):
            return Signed(self.of_item(number, layout), layout, *pictures)
        return Signed(self.of_record(record), None)

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
