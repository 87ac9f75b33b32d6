"""The entries of ``images`` in COCO files, each with its picture on disk and its annotations."""

import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from segprep.errors import SourceError
from segprep.files.open_folders import is_below
from segprep.names import natural_order, shown, stem_of
from segprep.packed import PackedNames
from segprep.packed_items import PackedItems
from segprep.sources._common.images.image_index import Entry, ImageIndex
from segprep.sources._common.pairing import stems, unique_items
from segprep.sources._common.pairing.folder_names import words
from segprep.sources._common.texts.chosen_files import check_versions, unclear
from segprep.sources.coco import file_kinds
from segprep.sources.coco.categories import Vocabulary
from segprep.sources.coco.coco_file import CocoFile, ImageEntry
from segprep.sources.coco.marks import Marks
from segprep.types import Note, Skipped


class Pictured(NamedTuple):
    """An entry of ``images`` whose picture exists: the *stem* of its sample, folder and name of
    the picture, of the annotation *file* and of the panoptic PNG, if it has one, and its *marks*.
    """

    stem: str
    picture: Entry
    labels: tuple[Entry, ...]
    file: CocoFile
    marks: Marks


@dataclass(slots=True)
class AnnotatedImages:
    """The images of all *files* whose pictures exist (*pictured*). *elsewhere* are pictures that
    were found by their file name alone, *owner* says which entry has a picture.
    """

    roots: tuple[Path, ...]
    stem: str
    gallery: ImageIndex
    pictured: list[Pictured] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    files: list[CocoFile] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    owner: dict[Entry, tuple[CocoFile, ImageEntry]] = field(default_factory=dict)

    @classmethod
    def of(cls, files: Sequence[CocoFile], roots: tuple[Path, ...], stem: str) -> "AnnotatedImages":
        """The images of *files* that exist below *roots*. Raises UsageError where two files of one
        list have versions of the same images.
        """
        images = cls(roots, stem, ImageIndex.below(roots))
        for file in files:
            images._add_file(file)
        for split in {file_kinds.split_of(file.path) for file in files}:
            alike = [file for file in files if file_kinds.split_of(file.path) == split]
            if len(alike) > 1:
                check_versions(((f.path, p.name) for f in alike for p in f.pictures), roots[0])
        return images

    def _add_file(self, file: CocoFile) -> None:
        near, masks = words(stem_of(file.path.name)), str(file.path.with_suffix(""))
        labels, beside = (os.path.split(file.path),), file.path.parent
        for picture in file.pictures:
            try:
                self._add(file, picture, labels, beside, near, masks)
            except SourceError as error:
                stem = stem_of(picture.name.replace("\\", "/").rsplit("/", 1)[-1])
                address = f"images[{picture.number}]"
                file.fault(address, error.reason, stem, error.code, error.hint)
        self.skipped += file.skipped
        self.files.append(file)

    def _add(
        self,
        file: CocoFile,
        picture: ImageEntry,
        labels: tuple[Entry, ...],
        beside: Path,
        near: Sequence[str],
        masks: str,
    ) -> None:
        """Add *picture* of *file*, which is *labels* and lies *beside* others; its panoptic PNGs
        are in the folder *masks*; *near*: the words of its name. Raises SourceError.
        """
        image, exact = self.gallery.entry(picture.name, beside, near, masks if file.masks else "")
        self._claim(image, file, picture)
        if file.masks:
            if picture.id not in file.masks:
                hint = "add it, or skip the image with --on-error skip"
                raise SourceError(file.path, "has no annotation", hint, "mask-missing")
            labels += (self.gallery.entry(file.masks[picture.id], Path(masks), near)[0],)
        if not exact:
            self.elsewhere.append(f"{shown(picture.name)} as {os.path.join(*image)}")
        numbers = tuple(file.marks.get(picture.id, ()))
        texts = tuple(map(file.texts.__getitem__, numbers))
        marks = Marks(picture.number, picture.size, numbers, texts)
        self.pictured.append(Pictured(self._stem(image), image, labels, file, marks))

    def _stem(self, image: Entry) -> str:
        if self.stem != "path":
            return stem_of(image[1])
        root, path = self.roots[0], os.path.join(*image)
        if len(self.roots) > 1:
            root = next(root for root in self.roots if is_below(path, (root,)))
        return stems.sample_stem(Path(path), root, self.stem)

    def items(self, words: Vocabulary, skipped: list[Skipped]) -> PackedItems:
        """An item for each of them, by stem, with the *words* that it needs; those whose stems
        collide go to *skipped*.
        """
        images = sorted(self.pictured, key=attrgetter("stem"))
        payloads = [(words.table, words.names[image.file.path], image.marks) for image in images]
        files = [(image.picture, *image.labels) for image in images]
        items = _packed([image.stem for image in images], files, payloads)
        return unique_items.unique(items, skipped, partial(replace, labels=()))

    def _claim(self, image: Entry, file: CocoFile, picture: ImageEntry) -> None:
        """Raise UsageError if another file has this image already, SourceError if this file has."""
        other, twin = self.owner.setdefault(image, (file, picture))
        if other is not file:
            raise unclear(
                f"{image[1]} is annotated in several files",
                [other.path, file.path],
                self.roots[0],
            )
        if twin is not picture:
            reason = f"is the same file as images[{twin.number}]"
            raise SourceError(file.path, reason, "merge the two entries", "stem-collision")

    def notes(self) -> list[Note]:
        """What a person should know about the images."""
        notes = [note for file in self.files for note in file.notes] + self.gallery.notes()
        if self.elsewhere:
            reason = f"{len(self.elsewhere)} images were found by their file name alone:"
            notes.append(Note("image-found-elsewhere", f"{reason} {self.elsewhere[0]}"))
        if left := self.gallery.left_over(str(file.path.with_suffix("")) for file in self.files):
            reason = f"{left} more images lie in the same folders; no annotation file lists them"
            notes.append(Note("image-unlabelled", reason))
        return notes

    def lists(self, items: PackedItems) -> dict[str, tuple[str, ...]]:
        """The official lists that the files stand for, unless there is only one."""
        lists: dict[str, list[str]] = defaultdict(list)
        splits = {str(file.path): file_kinds.split_of(file.path) for file in self.files}
        if len(set(splits.values())) < 2:
            return {}
        files = map(items.label, range(len(items)))
        for stem, file in natural_order([*zip(items.stems, files, strict=True)], itemgetter(0)):
            lists[splits[file]].append(stem)
        names = ("train", "val", "test", "trainval")
        return {name: tuple(lists[name]) for name in names if name in lists and len(lists) > 1}


def _packed(
    stems: list[str], files: list[tuple[Entry, ...]], payloads: list[tuple[Any, ...]]
) -> PackedItems:
    """An item of each of *stems*, *files* and *payloads*."""
    items = PackedItems()
    if len({*map(len, files)}) > 1:
        for stem, own, payload in zip(stems, files, payloads, strict=True):
            items.add(stem, own, payload)
        return items
    packed, names, folders = PackedNames(), PackedNames(), dict[str, int]()
    packed.add_all(stems)
    every = [*chain.from_iterable(files)]
    names.add_all([name for _, name in every])
    homes = [folders.setdefault(folder, len(folders)) for folder, _ in every]
    kinds = np.arange(len(files))
    items.add_all(packed, [*folders], np.array(homes, np.int64), names, payloads, kinds)
    return items
