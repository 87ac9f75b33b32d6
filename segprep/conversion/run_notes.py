"""What the notes of single samples add up to over a run: classes that lose to others, images that
became several samples.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from segprep.conversion.class_coverage import ClassCoverage, class_coverage
from segprep.types import Note, Record

FEW = 5  # stems that a note names


@dataclass(slots=True)
class RunNotes:
    """The *notes* of the samples that this run read, with their stems; *visible* are the pixels of
    every class id in all samples, *users* the samples of every input file and picture.
    """

    notes: list[Note] = field(default_factory=list)
    visible: Counter[int] = field(default_factory=Counter)
    users: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, record: Record, *, told: bool = True) -> None:
        """Count *record*; its notes are those of an earlier run unless *told*."""
        self.visible.update(record.pixels)
        for path in record.inputs:
            if path != record.source:
                self.users[path, record.digests[record.image]].append(record.stem)
        if told:
            self.notes += (replace(note, stem=record.stem) for note in record.notes)

    def summed(self, classes: Iterable[str]) -> tuple[list[Note], tuple[ClassCoverage, ...]]:
        """The notes, those on covered classes as one line per class, and these as figures."""
        losses = class_coverage(self.notes, classes, self.visible)
        plain = [note for note in self.notes if note.covered is None]
        return [*plain, *(loss.note for loss in losses), *self._shared()], losses

    def _shared(self) -> list[Note]:
        """A note for every input file that several samples with the same picture are made of."""
        notes = []
        for (path, _), users in sorted(self.users.items()):
            stems = sorted(set(users))
            if len(stems) > 1:
                more = f" and {len(stems) - FEW} more" if len(stems) > FEW else ""
                listed = ", ".join(stems[:FEW]) + more
                reason = f"{path} is the image of {len(stems)} samples: {listed}"
                notes.append(Note("image-shared", reason))
        return notes
