"""What the notes of single samples add up to over a run: classes that lose to others, images that
became several samples.
"""

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from segprep.conversion.class_coverage import ClassCoverage, class_coverage
from segprep.conversion.unpainted import UnpaintedLabels
from segprep.dataset.lists import blank_names
from segprep.dataset.totals import Totals
from segprep.files import digest
from segprep.imaging.image import SUFFIXES
from segprep.packed import PackedNames
from segprep.types import Note, Record

FEW = 5  # stems that a note names


@dataclass(slots=True)
class RunNotes:
    """The *notes* of the samples that this run read, with their stems; the *totals* of all samples
    and their *unpainted* labels; *used*: the digest of every input file with the picture made of
    it, eight bytes each; *blanks*: names that hold blanks.
    """

    notes: list[Note] = field(default_factory=list)
    totals: Totals = field(default_factory=Totals)
    unpainted: UnpaintedLabels = field(default_factory=UnpaintedLabels)
    used: "array[int]" = field(default_factory=partial(array, "Q"))
    blanks: list[str] = field(default_factory=list)

    def add(
        self, record: Record, *, told: bool = True, pictures: Iterable[int] | None = None
    ) -> None:
        """Count *record*; its notes are those of an earlier run unless *told*. *pictures*: the keys
        of those that others may share, where they are known.
        """
        self.totals.add(record)
        self.add_counted(record, pictures)
        if told:
            stem = record.stem  # what dataclasses.replace would do, in a fifth of its time
            self.notes += [Note(n.code, n.message, stem, n.covered) for n in record.notes]

    def add_counted(self, record: Record, pictures: Iterable[int] | None = None) -> None:
        """Add what the totals, which have *record* already, do not tell."""
        self.unpainted.add(record.unpainted)
        if pictures is None:
            pictures = (key for key, _ in _uses(record))
        self.add_stem(record.stem, *pictures)

    def add_stem(self, stem: str, *pictures: int) -> None:
        """Note the name of a sample, and the keys of the pictures that others may share."""
        if len(stem.split()) > 1:
            self.blanks.append(stem)
        self.used.extend(pictures)

    def add_stems(
        self, names: PackedNames, numbers: NDArray[np.int64], pictures: NDArray[np.uint64]
    ) -> None:
        """Note those of *names* of these *numbers*, and the keys of the pictures that others may
        share, 0 for none.
        """
        if len(names.joined().split()) > 1:
            stems = map(names.__getitem__, numbers.tolist())
            self.blanks += [stem for stem in stems if len(stem.split()) > 1]
        self.used.frombytes(pictures[pictures > 0].tobytes())

    def summed(
        self, classes: Iterable[str], again: Callable[[], Iterable[Record]], *, overlap: str
    ) -> tuple[list[Note], tuple[ClassCoverage, ...]]:
        """The notes, those on covered classes as one line per class, and these as figures;
        *overlap* is the rule that was given; *again* gives the same records once more.
        """
        losses = class_coverage(self.notes, classes, self.totals.pixels, overlap=overlap)
        plain = [note for note in self.notes if note.covered is None]
        covered = [loss.note for loss in losses]
        return [*plain, *covered, *self._shared(again), *blank_names(self.blanks)], losses

    def _shared(self, again: Callable[[], Iterable[Record]]) -> list[Note]:
        """A note for every input file that several samples with the same picture are made of."""
        keys, counts = np.unique(np.asarray(self.used), return_counts=True)
        several = set(keys[counts > 1].tolist())
        users: dict[tuple[str, int], set[str]] = defaultdict(set)
        for record in again() if several else ():
            for key, path in _uses(record):
                if key in several:
                    users[path, key].add(record.stem)
        notes = []
        for (path, _), using in sorted(users.items()):
            stems = sorted(using)
            if len(stems) > 1:
                more = f" and {len(stems) - FEW} more" if len(stems) > FEW else ""
                listed = ", ".join(stems[:FEW]) + more
                reason = f"{path} is the image of {len(stems)} samples: {listed}"
                notes.append(Note("image-shared", reason))
        return notes


def _uses(record: Record) -> Iterator[tuple[int, str]]:
    return pictures_of(record.inputs, record.source, record.digests[record.image])


def pictures_of(inputs: Iterable[str], source: str, picture: str) -> Iterator[tuple[int, str]]:
    """The images among *inputs* beside the *source*: 64 bits of a digest of the file's name and of
    the *picture* (its digest), and the name.
    """
    for path in inputs:
        if path != source and path.lower().endswith(SUFFIXES):
            text = f"{path}\0{picture}"
            yield int(digest(text.encode("utf-8", "surrogatepass"))[:16], 16), path
