"""ISBI 2012 membranes and similar: multi-page TIFF stacks, or numbered images in
folders.

    isbi/
      train-volume.tif      30 pages, 512x512, gray
      train-labels.tif      as many pages, black (membrane) and white (inside of cells)
      test-volume.tif       no labels; named and skipped
    or
    membrane/
      train/image/0.png  1.png …        train/label/0.png  1.png …        test/0.png …

Format: http://brainiac2.mit.edu/isbi_challenge/ (Arganda-Carreras and others 2015); the numbered
images are those of many tutorials. Assumptions: a volume and its labels have names that differ in
words such as volume and labels only; page n of one belongs to page n of the other and becomes the
sample volume_n; which brightness is the object has to be said, for half of the tutorials turn it
round.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, cast

import numpy as np
from numpy.typing import NDArray

from segprep.dataset import classes as class_lists
from segprep.errors import SegprepError, SourceError
from segprep.files import real_folders
from segprep.imaging import image, mask_files, paired_masks, transcoding
from segprep.names import stem_of
from segprep.sources._common.classes import polarity
from segprep.sources._common.classes.polarity import Foreground, Threshold
from segprep.sources._common.pairing import matching, official_lists, stems
from segprep.sources._common.pairing.paired_folders import PairedFolders
from segprep.sources.isbi import stack_names, tiff_stacks
from segprep.sources.isbi.tiff_stacks import Stack
from segprep.types import (
    Classes,
    Evidence,
    Item,
    Note,
    Progress,
    Sample,
    Scan,
    Skipped,
    no_progress,
)

EXAMPLES = (
    "segprep convert isbi isbi/ out/ --foreground dark --name membrane",
    "segprep convert isbi membrane/ out/ --foreground light --name cell",
    "segprep convert isbi isbi/ out/        prints what dark and light would mean, and stops",
)


@dataclass(frozen=True, slots=True)
class Pages:
    """What a sample of a stack is made of: page *number* (from 0) of both."""

    volume: Stack
    labels: Stack
    number: int


@dataclass(frozen=True, slots=True)
class Reader(PairedFolders):
    """Read TIFF stacks with their label stacks, or folders of numbered images and labels."""

    foreground: Foreground = None
    threshold: Threshold = polarity.HALF
    name: Annotated[str, "Name of the object's class."] = "foreground"

    @classmethod
    def recognize(cls, root: Path) -> Evidence | None:
        """A volume and its labels as stacks; folders of numbered images and labels are weak
        evidence, for other formats have them too.
        """
        reader = cls(root)
        roots = real_folders(root)
        for volume, labels in stack_names.pairs(stack_names.tiffs(roots[0]), roots[0]).values():
            try:
                if (
                    len(volume) == len(labels) == 1
                    and (pages := tiff_stacks.survey(volume[0], roots).pages) > 1
                ):
                    return Evidence(
                        0.9,
                        f"{volume[0].name} is a stack of {pages} pages, {labels[0].name} lies"
                        " beside it",
                    )
            except SourceError:
                continue
        try:
            items = reader._matched().items
        except SegprepError:
            return None
        numbered = bool(items) and all(
            stem_of(path.name).isdecimal()
            for item in items
            for path in (item.image, *item.labels)
            if path
        )
        return (
            Evidence(0.3, f"{len(items)} numbered images with labels of the same number")
            if numbered
            else None
        )

    def scan(self, jobs: int = 1, progress: Progress[Any] = no_progress) -> Scan:
        """Every page of a labeled stack, or every numbered image with its label, is an item.

        Raises UsageError where the polarity is not stated.
        """
        polarity.check_threshold(self.threshold)
        roots = real_folders(self.root, self.image_root)
        skipped: list[Skipped] = []
        surveyed = self._surveyed(roots, skipped, progress)
        if not any(stack.pages > 1 for stack in surveyed.values()) and (surveyed or not skipped):
            return self._series(roots, jobs, progress)
        notes: list[Note] = []
        by_split = self._stacked(roots[0], surveyed, skipped, notes)
        items = [item for listed in by_split.values() for item in listed]
        if self.foreground is None and items:
            counts = [
                self._counts(item.payload, roots)
                for item in progress(items, len(items), "reading labels")
            ]
            raise polarity.unstated((count for count in counts if count), self.threshold)
        kept = stems.unique(items, skipped)
        kept_stems = {item.stem for item in kept}
        lists = {
            split: tuple(item.stem for item in listed if item.stem in kept_stems)
            for split, listed in by_split.items()
            if split
        }
        return Scan(
            kept, self._classes(), tuple(skipped), lists if len(lists) > 1 else {}, tuple(notes)
        )

    def read(self, item: Item) -> Sample:
        """The image, and its labels as 0 and 1."""
        roots = real_folders(self.root, self.image_root)
        if not isinstance(item.payload, Pages):
            return paired_masks.sample(item, roots, self._mask, self.max_pixels)
        try:
            return self._page(item, item.payload, roots)
        except SourceError as error:
            raise SourceError(
                error.path, f"page {item.payload.number}: {error.reason}", error.hint, error.code
            ) from error

    def _page(self, item: Item, pages: Pages, roots: tuple[Path, ...]) -> Sample:
        notes: list[Note] = []
        (path,), picture = item.labels, cast("Path", item.image)
        mask = self._mask(
            tiff_stacks.page(pages.labels, pages.number, roots, self.max_pixels), path, notes
        )
        stored = tiff_stacks.page(pages.volume, pages.number, roots, self.max_pixels)
        upright = paired_masks.drawn_upright(
            stored, picture, mask.shape, path, notes, self.max_pixels
        )
        data, change = transcoding.transcode(stored, picture, "png", self.max_pixels)
        if change:
            notes.append(
                Note("image-converted", f"page {pages.number} of {picture.name}: {change}")
            )
        return Sample(item.stem, data, mask, None, upright, tuple(notes))

    def _mask(self, data: bytes, path: Path, notes: list[Note]) -> NDArray[np.uint8]:
        return polarity.binary(
            data, path, notes, cast("str", self.foreground), self.threshold, self.max_pixels
        )

    def _classes(self) -> Classes:
        return class_lists.make([class_lists.BACKGROUND, self.name])

    def _matched(self) -> matching.Pairing:
        return self.paired(self.folders())

    def _series(self, roots: tuple[Path, ...], jobs: int, progress: Progress[Any]) -> Scan:
        """Numbered images in folders."""
        matched = self._matched()
        masks = [item.labels[0] for item in matched.items if item.labels[0] != item.image]
        if self.foreground is None and masks:
            raise polarity.ask(
                masks,
                roots,
                self.threshold,
                self.max_pixels,
                jobs,
                progress,
            )
        return Scan(
            matched.items,
            self._classes(),
            matched.skipped,
            matched.lists,
            matched.notes,
        )

    def _surveyed(
        self, roots: tuple[Path, ...], skipped: list[Skipped], progress: Progress[Any]
    ) -> dict[Path, Stack]:
        """The TIFF files that can be read; the others go to *skipped*."""
        stacks: dict[Path, Stack] = {}
        paths = stack_names.tiffs(roots[0])
        for path in progress(paths, len(paths), "counting pages"):
            try:
                stacks[path] = tiff_stacks.survey(path, roots, self.max_pixels)
            except SourceError as error:
                skipped.append(
                    Skipped(stem_of(path.name), str(path), error.code, error.reason, error.hint)
                )
        return stacks

    def _stacked(
        self, root: Path, surveyed: Mapping[Path, Stack], skipped: list[Skipped], notes: list[Note]
    ) -> dict[str, list[Item]]:
        """The items of every labeled stack by its official split, or ""."""
        items: dict[str, list[Item]] = defaultdict(list)
        pairs = stack_names.pairs(stack_names.tiffs(root), root)
        labeled = any(labels for _, labels in pairs.values())
        for key, (volumes, labels) in pairs.items():
            split = next(
                (official_lists.SPLITS[word] for word in key if word in official_lists.SPLITS), ""
            )
            if not labels and labeled and split == "test":
                notes += [
                    Note("image-unlabelled", f"{path.name} has no labels; it was skipped")
                    for path in volumes
                ]
            elif len(volumes) == len(labels) == 1:
                if volumes[0] in surveyed and labels[0] in surveyed:
                    items[split] += self._items(
                        root, surveyed[volumes[0]], surveyed[labels[0]], skipped
                    )
            else:
                skipped += stack_names.unpaired(root, volumes, labels)
        return dict(items)

    def _items(
        self, root: Path, volume: Stack, labels: Stack, skipped: list[Skipped]
    ) -> list[Item]:
        if volume.pages != labels.pages:
            reason = (
                f"{volume.path.name} has {volume.pages} pages, its labels {labels.path.name} have"
                f" {labels.pages}"
            )
            skipped.append(
                Skipped(
                    stem_of(volume.path.name),
                    str(labels.path),
                    "stack-length",
                    reason,
                    "restore both from their origin",
                )
            )
            return []
        stem, width = (
            stems.sample_stem(volume.path, root, self.stem),
            max(2, len(str(volume.pages - 1))),
        )
        return [
            Item(f"{stem}_{n:0{width}}", volume.path, (labels.path,), Pages(volume, labels, n))
            for n in range(volume.pages)
        ]

    def _counts(self, pages: Pages, roots: tuple[Path, ...]) -> tuple[int, int, int] | None:
        """Dark, zero and all pixels of a page of labels; None if it cannot be read, which is told
        when it is converted.
        """
        try:
            data = tiff_stacks.page(pages.labels, pages.number, roots, self.max_pixels)
            seen = image.histogram(mask_files.intensity(data, pages.labels.path, self.max_pixels))
        except SourceError:
            return None
        return (
            sum(count for value, count in seen.items() if value <= self.threshold),
            seen.get(0, 0),
            sum(seen.values()),
        )
