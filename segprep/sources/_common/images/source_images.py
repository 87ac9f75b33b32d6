"""The images that label files belong to: by the name that a file gives, or by its own."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import cast

from segprep.errors import SourceError
from segprep.names import natural_key, shown, stem_key, stem_of
from segprep.sources._common.images.image_index import ImageIndex, as_named, bytes_of
from segprep.sources._common.pairing import official_lists, stems
from segprep.sources._common.pairing.folder_names import split_of
from segprep.sources._common.shapes.region_shapes import Region
from segprep.types import Item, Note, Skipped


@dataclass(frozen=True, slots=True)
class AnnotatedImage:
    """One image of an annotation file.

    *name* is the image as the file names it (folders allowed; *by_stem*: the name without its
    extension counts; *aliases* are tried before it), or *path* the image itself; *size* (H, W) if
    the file states it. *relative*: coordinates are fractions of width and height.
    *subset* is train, val or test if the file says so; *near* are words in the folder of its image,
    where several have its name; *fault* is why it cannot be used; *masks* are pictures that belong
    to the annotation. *called* is the path that names the sample, if not that of its image.
    *file_size*: the bytes that its file had when it was annotated, 0 if the file does not say.
    """

    name: str
    address: str = ""
    size: tuple[int, int] | None = None
    regions: tuple[Region, ...] = ()
    subset: str = ""
    path: Path | None = None
    by_stem: bool = False
    aliases: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    relative: bool = False
    fault: SourceError | None = None
    notes: tuple[Note, ...] = ()
    masks: tuple[Path, ...] = ()
    called: Path | None = None
    file_size: int = 0


class SourceImages:
    """The items of a source, as the images of its label files are found."""

    def __init__(self, roots: tuple[Path, ...], stem: str, *, from_folders: bool = True) -> None:
        self.roots, self.stem, self.from_folders = roots, stem, from_folders
        self.index = ImageIndex.below(roots)
        self._stems: dict[str, list[Path]] = defaultdict(list)
        for places in self.index.files.values():
            for folder, name in places:
                self._stems[stem_key(stem_of(name))].append(Path(folder, name))
        self.items = list[Item]()
        self.skipped = list[Skipped]()
        self.subsets: dict[Path, str] = {}
        self.elsewhere = list[str]()
        self.replaced = list[str]()
        self.unlisted = list[str]()

    def add(self, path: Path, images: Iterable[AnnotatedImage], shared: object) -> None:
        """Those *images* of the label file *path* that exist, each with the payload (*shared*,
        image); the others are skipped with their reason.
        """
        for annotated in images:
            self.index.masks.update((str(mask.parent), mask.name) for mask in annotated.masks)
            stem = stem_of(PureWindowsPath(annotated.name).name)
            try:
                if annotated.fault:
                    raise annotated.fault
                self._add(path, annotated, shared)
            except SourceError as error:
                reason = (
                    f"{annotated.address}: {error.reason}" if annotated.address else error.reason
                )
                self.skipped.append(Skipped(stem, str(path), error.code, reason, error.hint))

    def _add(self, path: Path, annotated: AnnotatedImage, shared: object) -> None:
        picture = annotated.path
        if picture is None and annotated.by_stem:
            picture = self._of_stem(path, (*annotated.aliases, annotated.name))
        if picture is None:
            picture, exact = self.index.find(
                annotated.name, path.parent, annotated.near, file_size=annotated.file_size
            )
            if not exact:
                self.elsewhere.append(f"{shown(annotated.name)} as {picture}")
        if annotated.file_size and annotated.file_size != (size := bytes_of(picture)):
            self.replaced.append(f"{picture} had {annotated.file_size}, has {size}")
        self.index.taken.add((str(picture.parent), picture.name))
        root = next(root for root in self.roots if picture.is_relative_to(root))
        folder = str(picture.parent.relative_to(root))
        labels = str(path.parent.relative_to(self.roots[0]))
        self.subsets[picture] = annotated.subset or (
            split_of(folder) or split_of(labels) if self.from_folders else ""
        )
        stem = stems.sample_stem(annotated.called or picture, root, self.stem)
        self.items.append(Item(stem, picture, (path,), (shared, annotated)))

    def _of_stem(self, path: Path, names: Sequence[str]) -> Path:
        """The image of the first stem of *names* that there is: in the folders that the name says,
        then beside *path*, else the only one below the roots.

        Raises SourceError: image-missing, image-ambiguous.
        """
        paths: list[Path] = []
        for name in names:
            if stemmed := self._stems.get(stem_key(stem_of(PureWindowsPath(name).name))):
                paths = as_named(stemmed, name)
                break
        near = [image for image in paths if image.parent == path.parent] or paths
        near = self.index.nearest(self.index.likely(near), path.parent) if near else near
        if near and (picture := self.index.only(near)):
            return picture
        if near:
            listed = ", ".join(map(str, near[:4]))
            reason, code = f"{len(near)} images have its name: {listed}", "image-ambiguous"
            raise SourceError(path, reason, "keep one of them below SRC", code)
        hint = "name the images' folder with --image-root"
        reason = f"no image is called {shown(stem_of(PureWindowsPath(names[-1]).name))}"
        raise SourceError(path, reason, hint, "image-missing")

    def lists(self, items: Iterable[Item]) -> Mapping[str, tuple[str, ...]]:
        """The official lists that files or folders name, if they name one for every image, or
        several.
        """
        lists: dict[str, list[str]] = defaultdict(list)
        for item in sorted(items, key=lambda item: natural_key(item.stem)):
            lists[self.subsets[cast("Path", item.image)]].append(item.stem)
        without = lists.pop("", [])
        if without and len(lists) < 2:
            return {}
        self.unlisted = without
        return {name: tuple(names) for name, names in lists.items()}

    def notes(self) -> list[Note]:
        """What a person should know about the images."""
        notes = self.index.notes()
        if self.elsewhere:
            count = len(self.elsewhere)
            notes.append(
                Note(
                    "image-found-elsewhere",
                    f"{count} images were found by their file name alone: {self.elsewhere[0]}",
                )
            )
        if self.replaced:
            text = (
                f"{len(self.replaced)} image files have another number of bytes than when they were"
                f" annotated: {self.replaced[0]}; are they the same images?"
            )
            notes.append(Note("image-replaced", text))
        notes += official_lists.unlisted(self.unlisted, "images")
        if left := self.index.left_over():
            reason = f"{left} more images lie in the same folders; no annotation names them"
            notes.append(Note("image-unlabelled", reason))
        return notes
