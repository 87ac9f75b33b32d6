"""COCO annotation files: instances, stuff and panoptic, with polygons, run lengths or PNGs.

    src/
      annotations/instances_train2017.json    {"images": [{"id", "file_name", "height", "width"}],
                  instances_val2017.json       "categories": [{"id", "name"}],
                                               "annotations": [{"image_id", "category_id",
                                               "segmentation", "iscrowd"}]}
      annotations/panoptic_val2017.json       "annotations": [{"image_id", "file_name",
      "segments_info": [{"id", "category_id"}]}]
                  panoptic_val2017/NAME.png   segment id = R + 256 G + 65536 B
      images/… or train2017/…                 found by file_name, anywhere below SRC or --image-root

Format: https://cocodataset.org/#format-data. Assumptions: coordinates are pixels of the upright
picture; of several files each has its own images, and names or folders with train, val or test make
them official lists.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, cast

from segprep.errors import SourceError, UsageError
from segprep.files import listing, read_below, real_folders
from segprep.imaging import image, mask_files
from segprep.names import natural_key, shown, stem_of
from segprep.sources._common import rle, stems
from segprep.sources._common.folder_names import words
from segprep.sources._common.image_index import Gallery
from segprep.sources.coco import annotations as cocofile
from segprep.sources.coco import masks
from segprep.sources.coco.annotations import CocoFile, Picture
from segprep.sources.coco.categories import by_id, meanings
from segprep.sources.coco.masks import BoxOnly, Crowd, Marks, Policy
from segprep.types import (
    MAX_PIXELS,
    ClassList,
    Evidence,
    Item,
    MaxPixels,
    Note,
    Overlap,
    Progress,
    Sample,
    Scan,
    Skipped,
    Stem,
    Unknown,
    no_progress,
)

EXAMPLES = (
    "segprep convert coco coco/ out/ --annotations 'instances_*.json'",
    "segprep convert coco coco/ out/ --annotations 'panoptic_*.json' --objects",
    (
        "segprep convert coco export/ out/ --image-root photos/ --classes person,car --unknown skip"
        " --overlap area"
    ),
)
_KINDS = {
    "instances",
    "panoptic",
    "stuff",
    "person keypoints",
}  # COCO's own files, which describe the same images


@dataclass(frozen=True, slots=True)
class Reader:
    """Read images with COCO annotation files; the class list is _background_, then the categories
    by id.
    """

    root: Path
    annotations: Annotated[
        tuple[str, ...],
        "Only these JSON files below SRC: a name, a path from SRC, or a pattern such as"
        " 'instances_*.json'.",
    ] = ()
    image_root: Annotated[
        tuple[Path, ...], "Another folder to look for images in (with its subfolders)."
    ] = ()
    classes: ClassList = None
    unknown: Unknown = "error"
    exclude: Annotated[tuple[str, ...], "Leave annotations of this category out."] = ()
    map: Annotated[
        tuple[str, ...],
        "OLD=NEW: read category OLD as NEW (merge or rename); NEW may be _background_ or"
        " __ignore__.",
    ] = ()
    crowd: Crowd = "ignore"
    box_only: BoxOnly = "error"
    overlap: Overlap = "order"
    priority: Annotated[
        str, "With --overlap priority: class names, the one that wins first: a,b,c."
    ] = ""
    objects: Annotated[
        bool,
        "Write SegmentationObject as well: one id per annotation of a thing, none for crowds and"
        " stuff.",
    ] = False
    stem: Stem = "name"
    max_pixels: MaxPixels = MAX_PIXELS

    @classmethod
    def recognise(cls, root: Path) -> Evidence | None:
        """A JSON file in SRC, annotations/ or one folder below, with the keys of COCO at its
        beginning or end.
        """
        real = root.resolve()
        folders = [
            real,
            *(path for path in sorted(real.glob("*/")) if not path.name.startswith(".")),
        ]
        for path in islice(
            (path for folder in folders for path in sorted(folder.glob("*.json"))), 50
        ):
            try:
                if cocofile.looks_like(path, (real,)):
                    return Evidence(
                        0.95,
                        f"{path.relative_to(real).as_posix()} has images, annotations and"
                        " categories",
                    )
            except SourceError:
                continue
        return None

    def scan(self, jobs: int = 1, progress: Progress[Any] = no_progress) -> Scan:
        """Every entry of images is an item; each JSON file is read once, here."""
        roots, policy = real_folders(self.root, self.image_root), self._policy()
        skipped: list[Skipped] = []
        paths = self._chosen(roots, skipped)
        files = []
        for path in progress(paths, len(paths), "reading annotations"):
            try:
                files.append(cocofile.load(path, roots))
            except SourceError as error:
                skipped.append(
                    Skipped(stem_of(path.name), str(path), error.code, error.reason, error.hint)
                )
        if any(file.polygons for file in files):
            rle.pycocotools()
        known, table, notes = meanings(files, self.classes, self.unknown, self.exclude, self.map)
        found = _Found(roots, self.stem, Gallery.below(roots))
        for file in files:
            found.add(file)
        notes += [*found.notes(), *_crowds(files, policy)]
        kept = {item.image: item for item in found.items}
        unique = stems.unique([replace(item, labels=()) for item in found.items], skipped)
        items = tuple(
            replace(kept[item.image], payload=(known, table, item.payload)) for item in unique
        )
        return Scan(items, known, (*skipped, *found.skipped), found.lists(items), tuple(notes))

    def read(self, item: Item) -> Sample:
        """The image, and the mask of its annotations."""
        roots, notes, path, picture = (
            real_folders(self.root, self.image_root),
            list[Note](),
            item.labels[0],
            cast("Path", item.image),
        )
        known, table, marks = item.payload
        data = read_below(picture, roots)
        size = _size(data, picture, path, marks, self.max_pixels)
        upright = mask_files.drawn_upright(data, picture, size, path, notes, self.max_pixels)
        if not marks.numbers:
            notes.append(Note("no-shapes", "no annotations: the mask is all background"))
        if len(item.labels) == 1:
            painted, unpainted = masks.outlines(
                marks, by_id(table), size, known.background, self._policy(), path, notes
            )
            return Sample(
                item.stem,
                data,
                painted.mask,
                painted.objects,
                upright,
                (*notes, *painted.notes),
                painted.pixels,
                unpainted,
            )
        png = item.labels[1]
        colours = mask_files.colors(read_below(png, roots), png, self.max_pixels)
        if colours.shape[:2] != size:
            raise SourceError(
                png,
                f"is {colours.shape[1]}x{colours.shape[0]}, its image {size[1]}x{size[0]} pixels",
                code="size-mismatch",
            )
        mask, objects = masks.panoptic(
            marks, by_id(table), colours, known.background, self._policy(), path, notes
        )
        return Sample(item.stem, data, mask, objects, upright, tuple(notes))

    def _policy(self) -> Policy:
        priority = tuple(name.strip() for name in self.priority.split(",") if name.strip())
        if (self.overlap == "priority") != bool(priority):
            raise UsageError(
                "bad-option",
                "--overlap priority and --priority a,b,c go together",
                "give both or neither",
            )
        return Policy(self.crowd, self.box_only, self.overlap, priority, self.objects)

    def _chosen(self, roots: tuple[Path, ...], skipped: list[Skipped]) -> list[Path]:
        """The annotation files to read.

        Raises UsageError where they describe the same images in several ways.
        """
        files = [
            Path(folder, name)
            for folder, name in listing(str(roots[0]))
            if name.lower().endswith(".json")
        ]
        if self.annotations:
            return _named(files, roots[0], self.annotations)
        chosen = []
        for path in files:
            try:
                if cocofile.looks_like(path, roots):
                    chosen.append(path)
                else:
                    skipped.append(
                        Skipped(
                            stem_of(path.name),
                            str(path),
                            "other-json",
                            "is no COCO file with things to draw",
                            foreign=True,
                        )
                    )
            except SourceError as error:
                skipped.append(
                    Skipped(stem_of(path.name), str(path), error.code, error.reason, error.hint)
                )
        if len(kinds := {cocofile.kind_of(path) for path in chosen} & _KINDS) > 1:
            raise _unclear(
                f"there are {', '.join(sorted(kinds))} files, which describe the same images",
                chosen,
            )
        return chosen


def _unclear(reason: str, files: Sequence[Path]) -> UsageError:
    names = ", ".join(path.name for path in files[:8])
    return UsageError(
        "annotations-unclear",
        f"{reason}: {names}",
        f"name the files that are meant, for example --annotations {files[0].name}",
    )


def _named(files: Sequence[Path], root: Path, patterns: Sequence[str]) -> list[Path]:
    """The *files* that any of *patterns* names. Raises UsageError for one that names none."""
    chosen = []
    for pattern in patterns:
        found = [
            path
            for path in files
            if fnmatch(path.name, pattern)
            or fnmatch(path.relative_to(root).as_posix(), pattern.removeprefix("./"))
        ]
        if not found:
            there = ", ".join(path.relative_to(root).as_posix() for path in files[:8]) or "none"
            raise UsageError(
                "bad-option",
                f"--annotations {pattern} is no JSON file in {root}; there are: {there}",
                "give a name or a pattern from these",
            )
        chosen += found
    return list(dict.fromkeys(chosen))


def _crowds(files: Sequence[CocoFile], policy: Policy) -> list[Note]:
    crowds, total = sum(file.crowds for file in files), sum(file.used.total() for file in files)
    if not crowds or policy.crowd != "ignore":
        return []
    every = "all annotations are" if crowds == total else f"{crowds} of {total} annotations are"
    return [
        Note(
            "crowd-ignored",
            f"{every} crowd regions (iscrowd) and become 255; --crowd class|skip"
            + (" is most likely meant" if crowds == total else ""),
        )
    ]


def _size(data: bytes, picture: Path, path: Path, marks: Marks, limit: int) -> tuple[int, int]:
    """(H, W) of the view that was annotated. Raises SourceError."""
    head = image.header(data, picture, limit)
    upright = head.shape(upright=True)
    if marks.size not in (None, upright, head.shape(upright=False)):
        height, width = marks.size
        reason = (
            f"images[{marks.image}]: says {width}x{height}, {picture.name} has"
            f" {upright[1]}x{upright[0]} pixels"
        )
        raise SourceError(path, reason, "restore the image that was annotated", "size-mismatch")
    return marks.size or upright


@dataclass(slots=True)
class _Found:
    """The items of all files, as they are found."""

    roots: tuple[Path, ...]
    stem: str
    gallery: Gallery
    items: list[Item] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    files: list[CocoFile] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    owner: dict[Path, tuple[CocoFile, Picture]] = field(default_factory=dict)

    def add(self, file: CocoFile) -> None:
        """The images of *file* that exist."""
        for picture in file.pictures:
            try:
                self._add(file, picture)
            except SourceError as error:
                stem = stem_of(picture.name.replace("\\", "/").rsplit("/", 1)[-1])
                file.fault(f"images[{picture.number}]", error.reason, stem, error.code, error.hint)
        self.skipped += file.skipped
        self.files.append(file)

    def _add(self, file: CocoFile, picture: Picture) -> None:
        near, folder = words(stem_of(file.path.name)), file.path.with_suffix("")
        found, exact = self.gallery.find(
            picture.name, file.path.parent, near, str(folder) if file.masks else ""
        )
        self._claim(found, file, picture)
        labels: tuple[Path, ...] = (file.path,)
        if file.masks:
            if picture.id not in file.masks:
                raise SourceError(
                    file.path,
                    "has no annotation",
                    "add it, or leave the image out with --on-error skip",
                    "mask-missing",
                )
            labels += (self.gallery.find(file.masks[picture.id], folder, near)[0],)
        if not exact:
            self.elsewhere.append(f"{shown(picture.name)} as {found}")
        marks = file.marks.get(picture.id, [])
        root = next(root for root in self.roots if found.is_relative_to(root))
        payload = Marks(
            picture.number,
            picture.size,
            tuple(number for number, _ in marks),
            tuple(text for _, text in marks),
        )
        self.items.append(Item(stems.sample_stem(found, root, self.stem), found, labels, payload))

    def _claim(self, found: Path, file: CocoFile, picture: Picture) -> None:
        """Raise UsageError if another file has this image already, SourceError if this file has."""
        other, twin = self.owner.setdefault(found, (file, picture))
        if other is not file:
            raise _unclear(f"{found.name} is annotated in several files", [other.path, file.path])
        if twin is not picture:
            raise SourceError(
                file.path,
                f"is the same file as images[{twin.number}]",
                "merge the two entries",
                "stem-collision",
            )

    def notes(self) -> list[Note]:
        """What a person should know about the images found."""
        notes = [note for file in self.files for note in file.notes]
        if self.elsewhere:
            notes.append(
                Note(
                    "image-found-elsewhere",
                    f"{len(self.elsewhere)} images were found by their file name alone:"
                    f" {self.elsewhere[0]}",
                )
            )
        if left := self.gallery.left_over(str(file.path.with_suffix("")) for file in self.files):
            notes.append(
                Note(
                    "image-unlabelled",
                    f"{left} more images lie in the same folders; no annotation file lists them",
                )
            )
        return notes

    def lists(self, items: Sequence[Item]) -> dict[str, tuple[str, ...]]:
        """The official lists that the files stand for, unless there is only one."""
        lists: dict[str, list[str]] = defaultdict(list)
        for item in sorted(items, key=lambda item: natural_key(item.stem)):
            lists[cocofile.split_of(item.labels[0])].append(item.stem)
        return (
            {
                name: tuple(lists[name])
                for name in ("train", "val", "test", "trainval")
                if name in lists
            }
            if len(lists) > 1
            else {}
        )
