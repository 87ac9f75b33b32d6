"""One sample to the files of an export. Runs in worker processes."""

from dataclasses import dataclass, replace
from pathlib import Path

from segprep.dataset import samples
from segprep.exporting.publish import Outbox
from segprep.types import (
    Classes,
    Entry,
    LabeledImage,
    Loss,
    Note,
    Part,
    Product,
    Writer,
)


@dataclass(frozen=True, slots=True)
class ExportedFiles:
    """What one sample became: all names, those that were written and not linked, and what it adds
    to common files.
    """

    stem: str
    names: tuple[str, ...]
    written: tuple[str, ...]
    appended: tuple[Product, ...]
    parts: tuple[Part, ...]
    losses: tuple[Loss, ...]
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class SampleExport:
    """Make the files of one sample, in worker processes, too. *bits*: what the
    dataset's 16-bit gray images use."""

    writer: Writer
    box: Outbox
    roots: tuple[Path, ...]
    classes: Classes | None
    write: bool
    bits: int

    def __call__(self, todo: tuple[Entry, tuple[str, ...]]) -> ExportedFiles:
        """The files of one (entry, places). Raises SourceError."""
        entry, places = todo
        sample, notes = self._sample(entry)
        results = list(self.writer.files(sample, places))
        products = [
            product for product in results if isinstance(product, Product) and not product.append
        ]
        written = [
            product.name
            for product in products
            if not self.write or self.box.put(product, self.roots)
        ]
        return ExportedFiles(
            entry.stem,
            tuple(product.name for product in products),
            tuple(written),
            tuple(
                product for product in results if isinstance(product, Product) and product.append
            ),
            tuple(product for product in results if isinstance(product, Part)),
            tuple(product for product in results if isinstance(product, Loss) and product.count),
            tuple(
                replace(note, stem=entry.stem)
                for note in (*notes, *results)
                if isinstance(note, Note)
            ),
        )

    def _sample(self, entry: Entry) -> tuple[LabeledImage, tuple[Note, ...]]:
        """The sample of *entry*, upright. Raises SourceError, also for unknown class ids."""
        limit = self.writer.max_pixels
        sample = samples.read(entry, self.roots, limit)
        mask, objects = samples.upright(sample, entry.image, limit)
        if self.classes:
            samples.check_ids(mask, self.classes, entry.mask)
        labeled = LabeledImage(
            entry, sample.image, mask, objects, sample.upright, self.classes, self.roots, self.bits
        )
        return labeled, sample.notes
