"""Numbers that change when the files of a sample do, or what they are made of: by size, time and
inode alone.
"""

import os
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from segprep.conversion.run_notes import pictures_of
from segprep.conversion.sample_files import SampleTask, Written
from segprep.dataset.tree import IMAGES, MASKS, OBJECTS
from segprep.files import state_tables, states
from segprep.files.states import UNKNOWN
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
    """What is signed of a sample: its *layout*, None where only the record tells its files; the key
    of the *picture* that other samples may be made of, 0 for none; the key of the states of its
    *outputs* while they are as recorded, UNKNOWN for none, and these states as packed *rows*.
    Without a layout, its *signature*, UNKNOWN for none; with one, it is made of these rows, see
    :mod:`bulk_signatures`. *latest*: the sum of the times when the outputs were touched last
    (nanoseconds), where they were just written.
    """

    layout: FileLayout | None = None
    picture: int = 0
    outputs: int = UNKNOWN
    rows: bytes = b""
    signature: int = UNKNOWN
    latest: int = 0

    @property
    def pictures(self) -> tuple[int, ...] | None:
        """The keys of the pictures that other samples may be made of, None where the record tells
        them.
        """
        if self.layout is None:
            return None
        return (self.picture,) if self.picture else ()


_ROW = struct.Struct("=5q")
ROW = _ROW.size  # bytes
Look = Callable[[str], os.stat_result | None]  # path -> its state, None where there is no file


class Signer:
    """Signs the samples that *task* makes. A file that may have changed after the moment *began*
    (nanoseconds), when the run had not yet read it, makes a signature UNKNOWN.
    """

    def __init__(self, task: SampleTask, *, began: int) -> None:
        self._task, self._began = task, began
        self._out = f"{task.out}{os.sep}"
        self._root = "" if task.archives.unpacked else f"{task.root}{os.sep}"
        self._same: FileLayout | None = None  # the layout before

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
        item: Item | None,
        record: Record,
        files: Sequence[os.stat_result],
        moment: int,
        *,
        renamed: bool = False,
    ) -> Signed:
        """What is signed of *item* with its *record* and its *files* in the tree, which were as
        recorded at the *moment* (nanoseconds) or later, and *renamed* since.
        """
        outputs = _described(files, moment, renamed=renamed)
        return self._signed(record, item, files if outputs else (), outputs, _state)

    def written(self, item: Item, done: Written) -> Signed:
        """What is signed of *item* by the states that its files had when it was *done*, whatever
        has settled since; nothing where somebody read a file without looking at its state, and only
        the record tells which.
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
        try:
            signed = self._signed(done.record, item, done.outputs, outputs, looked.__getitem__)
        except KeyError:  # one of the files was read elsewhere
            return Signed()
        return signed._replace(latest=sum(map(states.latest, done.outputs)))

    def _signed(
        self,
        record: Record,
        item: Item | None,
        files: Sequence[os.stat_result],
        outputs: bytes,
        look: Look,
    ) -> Signed:
        digest = record.digests.get(record.image, "")
        every = pictures_of(record.inputs, record.source, digest)
        pictures = [key for key, _ in islice(every, 2)]  # two are as good as all
        key = states.hashed(outputs) if outputs else UNKNOWN
        if item and len(pictures) < 2 and (layout := self._layout(record, item)):
            if layout == self._same:  # one object is sent from process to process once
                layout = self._same
            self._same = layout
            rows = b"".join(map(packed_row, files))
            return Signed(layout, pictures[0] if pictures else 0, key, rows)
        return Signed(None, 0, key, b"", self._of_record(record, outputs, look))

    def _layout(self, record: Record, item: Item) -> FileLayout | None:
        """The layout of a sample with this *record*, made of *item*; None where only the record
        tells its files and what was not painted.
        """
        if not self._root or record.unpainted:
            return None
        files = [str(path) for path in (item.image, *item.labels) if path is not None]
        inner = {file.removeprefix(self._root).replace(os.sep, "/") for file in files}
        suffix = record.image.removeprefix(f"{IMAGES}/{record.stem}")
        others, beside = record.inputs.keys() - inner, tuple[str, ...]()
        if others:
            start = os.path.splitext(files[item.image is not None])[0]
            full = {f"{self._root}{name}".replace("/", os.sep) for name in others}
            beside = tuple(sorted(name[len(start) :] for name in full if name.startswith(start)))
        layout = FileLayout(suffix, record.objects is not None, beside)
        if len(beside) < len(others) or any(os.sep in end for end in beside):
            return None
        whole = record.digests.keys() == set(layout.names(record.stem))
        return layout if whole and inner <= record.inputs.keys() else None

    def _of_record(self, record: Record, outputs: bytes, look: Look) -> int:
        inputs = [
            self._root + name if self._root and ".." not in name else str(self._task.located(name))
            for name in record.inputs
        ]
        return self._hashed(outputs, inputs, look)

    def _hashed(self, outputs: bytes, inputs: Iterable[str], look: Look) -> int:
        """The signature of *inputs* and what is made of them; UNKNOWN without *outputs*."""
        lines = [outputs]
        for path in inputs if outputs else ():
            state = look(path)
            if state is None:
                lines.append(b"absent;")
            elif states.settled(state, self._began):
                lines.append(states.described(state))
            else:
                return UNKNOWN
        return states.hashed(b"".join(lines)) if outputs else UNKNOWN


def packed_row(state: os.stat_result) -> bytes:
    """*state* as a row of :func:`segprep.files.folder_states.rows`."""
    return _ROW.pack(*state_tables.row_of(state))


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
