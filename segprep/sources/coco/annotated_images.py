"""The entries of ``images`` in COCO files, each with its picture on disk and its annotations."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from segprep.errors import SourceError
from segprep.files.open_folders import is_below
from segprep.names import natural_key, shown, stem_of
from segprep.sources._common.images.image_index import ImageIndex
from segprep.sources._common.pairing import stems
from segprep.sources._common.pairing.folder_names import words
from segprep.sources._common.texts.chosen_files import unclear
from segprep.sources.coco import file_kinds
from segprep.sources.coco.coco_file import CocoFile, ImageEntry
from segprep.sources.coco.marks import Marks
from segprep.types import Item, Note, Skipped


@dataclass(slots=True)
class AnnotatedImages:
    """The *items* of all *files*; their payload is the Marks of the image. *elsewhere* are pictures
    that were found by their file name alone, *owner* says which entry has a picture.
    """

    roots: tuple[Path, ...]
    stem: str
    gallery: ImageIndex
    items: list[Item] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    files: list[CocoFile] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    owner: dict[str, tuple[CocoFile, ImageEntry]] = field(default_factory=dict)

    @classmethod
    def of(cls, files: Sequence[CocoFile], roots: tuple[Path, ...], stem: str) -> "AnnotatedImages":
        """The images of *files* that exist below *roots*."""
        images = cls(roots, stem, ImageIndex.below(roots))
        for file in files:
            images._add_file(file)
        return images

    def _add_file(self, file: CocoFile) -> None:
        near, masks = words(stem_of(file.path.name)), str(file.path.with_suffix(""))
        for picture in file.pictures:
            try:
                self._add(file, picture, near, masks)
            except SourceError as error:
                stem = stem_of(picture.name.replace("\\", "/").rsplit("/", 1)[-1])
                address = f"images[{picture.number}]"
                file.fault(address, error.reason, stem, error.code, error.hint)
        self.skipped += file.skipped
        self.files.append(file)

    def _add(self, file: CocoFile, picture: ImageEntry, near: Sequence[str], masks: str) -> None:
        """Add *picture* of *file*, whose panoptic PNGs lie in the folder *masks*; *near*: the words
        of its name. Raises SourceError.
        """
        image, exact = self.gallery.find(
            picture.name, file.path.parent, near, masks if file.masks else ""
        )
        self._claim(image, file, picture)
        labels: tuple[Path, ...] = (file.path,)
        if file.masks:
            if picture.id not in file.masks:
                hint = "add it, or skip the image with --on-error skip"
                raise SourceError(file.path, "has no annotation", hint, "mask-missing")
            labels += (self.gallery.find(file.masks[picture.id], Path(masks), near)[0],)
        if not exact:
            self.elsewhere.append(f"{shown(picture.name)} as {image}")
        marks = file.marks.get(picture.id)
        numbers, texts = zip(*marks, strict=True) if marks else ((), ())
        payload = Marks(picture.number, picture.size, numbers, texts)
        root = self.roots[0]
        if self.stem == "path" and len(self.roots) > 1:
            root = next(root for root in self.roots if is_below(str(image), (root,)))
        self.items.append(Item(stems.sample_stem(image, root, self.stem), image, labels, payload))

    def _claim(self, image: Path, file: CocoFile, picture: ImageEntry) -> None:
        """Raise UsageError if another file has this image already, SourceError if this file has."""
        other, twin = self.owner.setdefault(str(image), (file, picture))
        if other is not file:
            raise unclear(
                f"{image.name} is annotated in several files",
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

    def lists(self, items: Sequence[Item]) -> dict[str, tuple[str, ...]]:
        """The official lists that the files stand for, unless there is only one."""
        lists: dict[str, list[str]] = defaultdict(list)
        splits = {file.path: file_kinds.split_of(file.path) for file in self.files}
        if len(set(splits.values())) < 2:
            return {}
        for item in sorted(items, key=lambda item: natural_key(item.stem)):
            lists[splits[item.labels[0]]].append(item.stem)
        names = ("train", "val", "test", "trainval")
        return {name: tuple(lists[name]) for name in names if name in lists and len(lists) > 1}
