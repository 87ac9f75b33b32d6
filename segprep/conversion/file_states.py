"""The index beside a tree: by what their sizes, times and inodes show, which samples' files are as
they were when they were last hashed. Like git's index, it saves reading unchanged files.

    .NAME.segprep-index    for the tree NAME; one that is wrong in any way is ignored, and replaced

A file that changed right before it was looked at may change again without a trace, so its sample is
hashed next time, too; and so are all of them where the clock was set back.
"""

from array import array
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import astuple, dataclass, field
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from segprep.conversion.bulk_signatures import BulkSigner, Numbers, numbers_written
from segprep.conversion.sample_files import SampleTask
from segprep.conversion.signatures import ROW, FileLayout, Signed
from segprep.dataset import index_file
from segprep.dataset.totals import Totals
from segprep.files.facts import Facts
from segprep.files.path_keys import Keys
from segprep.files.states import UNKNOWN

MOST_LAYOUTS = 255
_ROWS = 1 << 16  # bytes of rows that wait to become numbers
_PARTS = "QQBQQI"  # the arrays behind the first line: outputs, signatures, layouts, pictures; facts


class Columns(NamedTuple):
    """What :class:`Signatures` have, as arrays."""

    numbers: Keys
    kinds: NDArray[np.uint8]
    pictures: Keys
    outputs: Keys


@dataclass(slots=True)
class Signatures:
    """By line of records.jsonl: the *numbers* of :class:`BulkSigner` or :class:`Signer`, and which
    of *layouts*, from 1, the sample's files have, 0 where only its record tells; the key of the
    *pictures* that samples may share, 0 for none; that of the states of its *outputs*, which
    readers of the tree compare (see :mod:`index_file`). 25 bytes a sample.
    """

    numbers: "array[int]" = field(default_factory=partial(array, "Q"))
    kinds: "array[int]" = field(default_factory=partial(array, "B"))
    pictures: "array[int]" = field(default_factory=partial(array, "Q"))
    layouts: list[FileLayout] = field(default_factory=list)
    outputs: "array[int]" = field(default_factory=partial(array, "Q"))

    @classmethod
    def unknown(cls, count: int) -> "Signatures":
        """Those of *count* samples of which nothing is known."""
        empty = bytes(8 * count)
        kinds = array("B", bytes(count))
        return cls(array("Q", empty), kinds, array("Q", empty), [], array("Q", empty))

    def columns(self) -> "Columns":
        """Its columns, to be changed in place."""
        numbers, pictures, outputs = (
            np.frombuffer(part, np.uint64) for part in (self.numbers, self.pictures, self.outputs)
        )
        return Columns(numbers, np.frombuffer(self.kinds, np.uint8), pictures, outputs)

    def layout(self, number: int) -> FileLayout | None:
        """The layout of one line, or None."""
        kind = self.kinds[number]
        return self.layouts[kind - 1] if kind else None

    def kind_of(self, layout: FileLayout | None) -> int:
        """The number of *layout*; 0 for none, and where there are too many."""
        if layout and layout not in self.layouts and len(self.layouts) < MOST_LAYOUTS:
            self.layouts.append(layout)
        return self.layouts.index(layout) + 1 if layout in self.layouts else 0

    def __len__(self) -> int:
        return len(self.numbers)


@dataclass(slots=True)
class NewSignatures:
    """*signatures* that are being made: those of samples that have a layout by the *states* of
    their outputs (see :func:`bulk_signatures.together`), all at once; the sum of the *latest* times
    of these.
    """

    signatures: Signatures
    states: "array[int]"
    latest: int = 0
    _rows: dict[int, bytearray] = field(default_factory=dict)  # by size; not yet numbers
    _waiting: dict[int, "array[int]"] = field(default_factory=dict)  # whose they are
    _last: tuple[FileLayout | None, int] = None, 0

    @classmethod
    def unknown(cls, count: int) -> "NewSignatures":
        """Those of *count* samples, of which nothing is known yet."""
        return cls(Signatures.unknown(count), array("Q", bytes(8 * count)))

    @classmethod
    def of(cls, signatures: Signatures) -> "NewSignatures":
        """*signatures*, some of which are made again."""
        return cls(signatures, array("Q", bytes(8 * len(signatures))))

    def add(self, signed: Signed) -> None:
        """Add those of the next sample."""
        own, kind = self.signatures, self._kind_of(signed.layout)
        own.kinds.append(kind)
        own.pictures.append(signed.picture)
        own.outputs.append(signed.outputs)
        own.numbers.append(signed.signature)
        self.states.append(UNKNOWN)
        self._wait(len(self.states) - 1, kind, signed)

    def put(self, number: int, signed: Signed) -> None:
        """Set those of one sample."""
        own, kind = self.signatures, self._kind_of(signed.layout)
        own.kinds[number], own.pictures[number] = kind, signed.picture
        own.outputs[number], own.numbers[number] = signed.outputs, signed.signature
        self._wait(number, kind, signed)

    def _kind_of(self, layout: FileLayout | None) -> int:
        """The number of *layout*, which nearly always is the one before."""
        if layout is not self._last[0]:
            self._last = layout, self.signatures.kind_of(layout)
        return self._last[1]

    def _wait(self, number: int, kind: int, signed: Signed) -> None:
        self.latest += signed.latest
        if kind and (size := len(signed.rows)):
            self._rows.setdefault(size, bytearray()).extend(signed.rows)
            self._waiting.setdefault(size, array("q")).append(number)
            if len(self._rows[size]) >= _ROWS:
                self.settle()

    def settle(self) -> None:
        """Turn all rows into numbers."""
        states = np.frombuffer(self.states, np.uint64)
        for size, rows in self._rows.items():
            numbers = numbers_written(rows, size // ROW)
            states[np.frombuffer(self._waiting[size], np.int64)] = numbers
        self._rows.clear()
        self._waiting.clear()

    def keep(self, places: Numbers, other: Signatures, numbers: Numbers) -> None:
        """Set those at *places* to what *other* has at *numbers*."""
        table = np.array([0, *map(self.signatures.kind_of, other.layouts)], np.uint8)
        own, theirs = self.signatures.columns(), other.columns()
        own.numbers[places], own.kinds[places] = theirs.numbers[numbers], theirs.kinds[numbers]
        own.pictures[places] = theirs.pictures[numbers]
        own.outputs[places] = theirs.outputs[numbers]
        before, kinds = own.kinds[places], table[own.kinds[places]]
        own.kinds[places] = kinds
        own.numbers[places[(before > 0) & (kinds == 0)]] = UNKNOWN  # there are too many layouts

    def copy(self, places: Numbers, other: "NewSignatures", numbers: Numbers) -> None:
        """Set those at *places* to what *other* has at *numbers*."""
        other.settle()
        self.keep(places, other.signatures, numbers)
        theirs = np.frombuffer(other.states, np.uint64)
        np.frombuffer(self.states, np.uint64)[places] = theirs[numbers]

    def made(self, signer: BulkSigner, items: Numbers) -> Signatures:
        """The signatures, of samples that are the *items* of these numbers, -1 for none."""
        self.settle()
        own, states = self.signatures.columns(), np.frombuffer(self.states, np.uint64)
        places = np.flatnonzero((own.kinds > 0) & (states != UNKNOWN) & (items >= 0))
        own.numbers[places] = signer.sign(
            items[places], own.kinds[places], self.signatures.layouts, states[places]
        )
        return self.signatures


@dataclass(frozen=True, slots=True)
class Index:
    """The *signatures* by line of records.jsonl, whose digest is *records*, and the *totals* of all
    its records, None where they are not known; *last_run*: what :mod:`last_run` keeps of a call
    after which nothing was left to do, or None; *facts* of inputs.
    """

    records: str = ""
    signatures: Signatures = field(default_factory=Signatures)
    totals: Totals | None = None
    last_run: Mapping[str, Any] | None = None
    facts: Facts = field(default_factory=Facts)


def load(task: SampleTask) -> Index:
    """The index beside the tree; empty where there is none that can be believed."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        header, body = index_file.read(task.out)
        if header:
            parts: list[array[int]] = [array(kind) for kind in _PARTS]
            outputs, numbers, kinds, pictures, keys, values = parts
            start = 0
            for part, length in zip(parts, header["lengths"], strict=True):
                end = start + length * part.itemsize
                part.frombytes(body[start:end])
                start = end
            layouts = [
                FileLayout(suffix, objects, tuple(beside))
                for suffix, objects, beside in header["layouts"]
            ]
            learned = Facts(keys, values, [bytes.fromhex(value) for value in header["facts"]])
            signatures = Signatures(numbers, kinds, pictures, layouts, outputs)
            totals = header["totals"] and Totals.stored(header["totals"])
            return Index(header["records"], signatures, totals, header["last_run"], learned)
    return Index()


def save(task: SampleTask, index: Index) -> None:
    """Keep *index*; where the system refuses, there is none, and all is hashed next time."""
    signatures = index.signatures
    kept = signatures.outputs, signatures.numbers, signatures.kinds, signatures.pictures
    parts = *kept, index.facts.keys, index.facts.numbers
    head: dict[str, Any] = {
        "records": index.records,
        "totals": index.totals and index.totals.plain(),
        "last_run": index.last_run,
        "layouts": [*map(astuple, signatures.layouts)],
        "facts": [value.hex() for value in index.facts.values],
        "lengths": [*map(len, parts)],
    }
    index_file.write(task.out, head, parts)
