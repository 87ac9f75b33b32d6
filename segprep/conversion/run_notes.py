"""What the notes of single samples add up to over a run: classes that lose to others, images that
became several samples.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from segprep.conversion.class_coverage import ClassCoverage, class_coverage
from segprep.conversion.unpainted import UnpaintedLabels
from segprep.dataset.lists import blank_names
from segprep.dataset.manifest import Totals
from segprep.files import digest
from segprep.types import Note, Record

FEW = 5  # stems that a note names


@dataclass(slots=True)
class RunNotes:
    """The *notes* of the samples that this run read, with their stems; the *totals* of all samples
    and their *unpainted* labels; *first*: the sample that was first made of an input file and
    picture, by their digest; *shared*: the path and all samples where there are several;
    *blanks*: names that hold blanks.
    """

    notes: list[Note] = field(default_factory=list)
    totals: Totals = field(default_factory=Totals)
    unpainted: UnpaintedLabels = field(default_factory=UnpaintedLabels)
    first: dict[int, str] = field(default_factory=dict)
    shared: dict[int, tuple[str, set[str]]] = field(default_factory=dict)
    blanks: list[str] = field(default_factory=list)

    def add(self, record: Record, *, told: bool = True) -> None:
        """Count *record*; its notes are those of an earlier run unless *told*."""
        self.totals.add(record)
        if len(record.stem.split()) > 1:
            self.blanks.append(record.stem)
        self.unpainted.add(record.unpainted)
        for path in record.inputs:
            if path != record.source:
                self._used(path, record)
        if told:
            self.notes += (replace(note, stem=record.stem) for note in record.notes)

    def _used(self, path: str, record: Record) -> None:
        """*record* was made of the file *path*."""
        text = f"{path}\0{record.digests[record.image]}"
        key = int(digest(text.encode("utf-8", "surrogatepass"))[:24], 16)
        first = self.first.setdefault(key, record.stem)
        if first is not record.stem:
            self.shared.setdefault(key, (path, {first}))[1].add(record.stem)

    def summed(
        self, classes: Iterable[str], *, overlap: str
    ) -> tuple[list[Note], tuple[ClassCoverage, ...]]:
        """The notes, those on covered classes as one line per class, and these as figures;
        *overlap* is the rule that was given.
        """
        losses = class_coverage(self.notes, classes, self.totals.pixels, overlap=overlap)
        plain = [note for note in self.notes if note.covered is None]
        covered = [loss.note for loss in losses]
        return [*plain, *covered, *self._shared(), *blank_names(self.blanks)], losses

    def _shared(self) -> list[Note]:
        """A note for every input file that several samples with the same picture are made of."""
        notes = []
        for path, users in sorted(self.shared.values(), key=lambda shared: shared[0]):
            stems = sorted(users)
            if len(stems) > 1:
                more = f" and {len(stems) - FEW} more" if len(stems) > FEW else ""
                listed = ", ".join(stems[:FEW]) + more
                reason = f"{path} is the image of {len(stems)} samples: {listed}"
                notes.append(Note("image-shared", reason))
        return notes
