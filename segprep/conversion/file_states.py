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
from typing import Any

from segprep.conversion.sample_files import SampleTask
from segprep.conversion.signatures import FileLayout, Signed
from segprep.dataset import index_file
from segprep.dataset.totals import Totals
from segprep.files.facts import Facts
from segprep.files.states import UNKNOWN

MOST_LAYOUTS = 255
_PARTS = "QQBQQI"  # the arrays behind the first line: outputs, signatures, layouts, pictures; facts


@dataclass(slots=True)
class Signatures:
    """By line of records.jsonl: the *numbers* of :class:`Signer`, and which of *layouts*, from 1,
    the sample's files have, 0 where only its record tells; the key of the *pictures* that samples
    may share, 0 for none; that of the states of its *outputs*, which readers of the tree compare
    (see :mod:`index_file`). 25 bytes a sample.
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

    def layout(self, number: int) -> FileLayout | None:
        """The layout of one line, or None."""
        kind = self.kinds[number]
        return self.layouts[kind - 1] if kind else None

    def put(self, number: int, signed: Signed) -> None:
        """Set those of one line, which may be the next one."""
        signature, layout, picture = signed.signature, signed.layout, signed.picture
        if layout and layout not in self.layouts and len(self.layouts) < MOST_LAYOUTS:
            self.layouts.append(layout)
        told = signature != UNKNOWN and layout in self.layouts
        kind = self.layouts.index(layout) + 1 if layout and told else 0
        if number == len(self.numbers):
            self.numbers.append(UNKNOWN)
            self.kinds.append(0)
            self.pictures.append(0)
            self.outputs.append(UNKNOWN)
        self.numbers[number] = signature if kind or layout is None else UNKNOWN
        self.kinds[number], self.pictures[number] = kind, picture
        self.outputs[number] = signed.outputs

    def signed(self, number: int) -> Signed:
        """Those of one line."""
        numbers, pictures = self.numbers[number], self.pictures[number]
        return Signed(numbers, self.layout(number), pictures, self.outputs[number])

    def __len__(self) -> int:
        return len(self.numbers)


@dataclass(slots=True)
class WrittenSignatures:
    """The *signatures* of the samples that a run wrote, as these were written, by their number in
    its journal; the sum of the *latest* times of their files.
    """

    signatures: Signatures
    latest: int = 0

    @classmethod
    def after(cls, count: int) -> "WrittenSignatures":
        """None yet, *count* samples being in the journal that an earlier run wrote."""
        return cls(Signatures.unknown(count))

    def add(self, signed: Signed) -> None:
        """Add those of the next sample."""
        self.signatures.put(len(self.signatures), signed)
        self.latest += signed.latest


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
    body = b"".join(part.tobytes() for part in parts)
    head: dict[str, Any] = {
        "records": index.records,
        "totals": index.totals and index.totals.plain(),
        "last_run": index.last_run,
        "layouts": [*map(astuple, signatures.layouts)],
        "facts": [value.hex() for value in index.facts.values],
        "lengths": [*map(len, parts)],
    }
    index_file.write(task.out, head, body)
