"""Label files that hold a class id per pixel in some container of their own: what such formats
share.

A format says which files it reads and what array stands in one; this room finds the images, makes
the class list from the values, and checks.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, cast

import numpy as np
from numpy.typing import NDArray

from segprep import engine
from segprep.errors import UsageError
from segprep.files import MAX_BYTES, read_below, real_folders
from segprep.imaging import image, lookup
from segprep.imaging.paired_masks import drawn_upright
from segprep.names import stem_of
from segprep.sources._common.classes import mask_values
from segprep.sources._common.classes.mask_values import ClassesById, Ids
from segprep.sources._common.images.source_images import AnnotatedImage, SourceImages
from segprep.sources._common.pairing import stems
from segprep.sources._common.pairing.official_lists import ListsFromFolders
from segprep.types import (
    MAX_PIXELS,
    Item,
    MaxPixels,
    Note,
    Progress,
    Sample,
    Scan,
    Skipped,
    Stem,
    no_progress,
)


@dataclass(frozen=True, slots=True)
class LabelArray:
    """Class ids (H, W) of one file, whole numbers from 0; *objects* (H, W) uint16, 0 none."""

    values: NDArray[Any]
    objects: "NDArray[np.uint16] | None" = None
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class ValueReader:
    """The options and the work that formats of label arrays share."""

    root: Path
    classes: ClassesById = None
    ids: Ids = ""
    image_root: Annotated[
        tuple[Path, ...], "Another folder to look for images in (with its subfolders)."
    ] = ()
    lists_from_folders: ListsFromFolders = "auto"
    stem: Stem = "name"
    max_pixels: MaxPixels = MAX_PIXELS

    def roots(self) -> tuple[Path, ...]:
        """The folders that may be opened, resolved; the source itself first."""
        return real_folders(self.root, self.image_root)

    def label_files(self) -> list[Path]:
        """The label files of the source, in order."""
        raise NotImplementedError

    def array(self, path: Path) -> LabelArray:
        """What the label file at *path* holds. Raises SourceError."""
        raise NotImplementedError

    def image_of(self, path: Path) -> AnnotatedImage:
        """How the image of a label file is found: by the stem of its name."""
        return AnnotatedImage(path.name, by_stem=True)

    def scan(self, jobs: int = 1, progress: Progress[Any] = no_progress) -> Scan:
        """Every label file is an item; the values of all are read once where no option says what
        they mean.
        """
        from_folders, paths = self.lists_from_folders == "auto", self.label_files()
        index = SourceImages(self.roots(), self.stem, from_folders=from_folders)
        histograms: dict[Path, Mapping[int, int]] = {}
        skipped: list[Skipped] = []
        counted = progress(engine.run(_Values(self), paths, jobs=jobs), len(paths), "reading masks")
        for path, counts in zip(paths, counted, strict=True):
            if isinstance(counts, engine.Failure):
                stem, fault = stem_of(path.name), counts
                skipped.append(Skipped(stem, str(path), fault.code, fault.reason, fault.hint))
            else:
                histograms[path] = counts
        classes, table, notes = self._meaning(histograms.values(), skipped)
        for path in histograms:
            index.add(path, [self.image_of(path)], (table, len(classes.names)))
        items = stems.unique(index.items, index.skipped)
        return Scan(
            items,
            classes,
            (*skipped, *index.skipped),
            index.lists(items),
            (*notes, *index.notes()),
        )

    def read(self, item: Item) -> Sample:
        """The image, and its label array through the table."""
        (table, classes), _ = item.payload
        path, picture = item.labels[0], cast("Path", item.image)
        array = self.array(path)
        mask = lookup.translate(array.values, table, path, classes)
        data = read_below(picture, self.roots(), MAX_BYTES)
        notes = [*array.notes]
        upright = drawn_upright(data, picture, mask.shape, path, notes, self.max_pixels)
        return Sample(item.stem, data, mask, array.objects, upright, tuple(notes))

    def _meaning(
        self, histograms: Collection[Mapping[int, int]], skipped: list[Skipped]
    ) -> mask_values.Meaning:
        """The classes, and pixel value -> id. Raises UsageError."""
        if meaning := mask_values.meaning(self.classes, self.ids):
            return meaning
        contents = mask_values.Contents()
        for histogram in histograms:
            contents.add(histogram)
        if len(skipped) > len(histograms):
            fault, every = skipped[0], len(skipped) + len(histograms)
            reason = f"{len(skipped)} of {every} label files could not be read"
            raise UsageError(
                "values-unclear", f"{reason}; {fault.path}: {fault.reason}", fault.hint
            )
        classes, notes = mask_values.infer(contents)
        return classes, mask_values.identity(classes), notes


@dataclass(frozen=True, slots=True)
class _Values:
    """The histogram of one file, for the engine."""

    reader: ValueReader

    def __call__(self, path: Path) -> Mapping[int, int]:
        return image.histogram(self.reader.array(path).values)
