"""Annotation files that list labeled regions of images: what every such format shares.

A format says which files it reads and what stands in one (:class:`Document`); this room finds the
images, makes the class list, and paints.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PureWindowsPath
from typing import Annotated, Any, cast

from segprep import engine
from segprep.errors import ForeignFileError, SegprepError, SourceError, UsageError
from segprep.files import MAX_BYTES, listing, read_below, real_folders
from segprep.imaging import image
from segprep.imaging.coordinates import shapes_of
from segprep.imaging.mask_files import drawn_upright
from segprep.imaging.shapes import PaintOrder, Shape, paint_file
from segprep.names import natural_key, shown, stem_key, stem_of
from segprep.sources._common import region_labels, stems
from segprep.sources._common.image_index import Gallery
from segprep.sources._common.official_lists import SPLITS
from segprep.sources._common.region_labels import SKIPPED, LabelRules, LabelTable
from segprep.sources._common.region_shapes import Boxes, Region, scaled, to_shape
from segprep.types import (
    MAX_PIXELS,
    ClassList,
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

NO_AREA = ("line", "points")


@dataclass(frozen=True, slots=True)
class AnnotatedImage:
    """One image of an annotation file.

    *name* is the image as the file names it (folders allowed; *by_stem*: the name without its
    extension counts; *aliases* are tried before it), or *path* the image itself; *size* (H, W) if
    the file states it. *relative*: coordinates are fractions of width and height.
    *subset* is train, val or test if the file says so; *near* are words in the folder of its image,
    where several have its name; *fault* is why it cannot be used.
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


@dataclass(frozen=True, slots=True)
class Document:
    """What one annotation file holds: its images, and the classes it *declares* in their order."""

    images: tuple[AnnotatedImage, ...]
    declared: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class RegionReader:
    """The options and the work that formats of regions share.

    A format defines :meth:`documents` and :meth:`parse`; :meth:`declared` where a further file
    declares the classes.
    """

    root: Path
    classes: ClassList = None
    image_root: Annotated[
        tuple[Path, ...], "Another folder to look for images in (with its subfolders)."
    ] = ()
    unknown: Unknown = "error"
    boxes: Boxes = "error"
    overlap: Overlap = "order"
    priority: Annotated[
        str, "With --overlap priority: class names, the one that wins first: a,b,c."
    ] = ""
    exclude: Annotated[tuple[str, ...], "Skip regions with this label."] = ()
    map: Annotated[
        tuple[str, ...],
        "OLD=NEW: read label OLD as NEW (merge or rename); NEW may be _background_ or __ignore__.",
    ] = ()
    objects: Annotated[
        bool, "Write SegmentationObject as well: one id per region, or per group of regions."
    ] = False
    stem: Stem = "name"
    max_pixels: MaxPixels = MAX_PIXELS

    def roots(self) -> tuple[Path, ...]:
        """The folders that may be opened, resolved; the source itself first."""
        return real_folders(self.root, self.image_root)

    def documents(self) -> list[Path]:
        """The annotation files of the source, in order."""
        raise NotImplementedError

    def context(self) -> Any:
        """What every file's reading needs of the whole source; picklable, made once."""
        return None

    def parse(self, path: Path, context: Any = None) -> Document:
        """What the annotation file at *path* holds. Raises SourceError."""
        raise NotImplementedError

    def declared(self, context: Any = None) -> tuple[tuple[str, ...], str]:
        """Class names in the order of a file beside the annotations, and that file's name."""
        return (), ""

    def scan(self, jobs: int = 1, progress: Progress[Any] = no_progress) -> Scan:
        """Every image that an annotation file names is an item; each file is read once, here."""
        rules = self._rules()
        roots, paths = self.roots(), self.documents()
        context = self.context()
        parse = partial(self.parse, context=context)
        results = progress(engine.run(parse, paths, jobs=jobs), len(paths), "reading labels")
        documents, skipped, notes = [], list[Skipped](), list[Note]()
        for path, result in zip(paths, results, strict=True):
            if isinstance(result, engine.Failure):
                skipped.append(_failed(path, result))
            else:
                documents.append((path, result))
                notes += result.notes
        labels = Counter(
            region.label
            for _, document in documents
            for image in document.images
            for region in image.regions
        )
        declared, origin = self.declared(context)
        for path, document in documents:
            if not declared and document.declared:
                declared, origin = document.declared, path.name
        classes, class_notes = region_labels.class_list(rules, labels, declared, origin)
        left_out = region_labels.skipped_labels(rules, classes, labels)
        index = _ImageIndex(roots, self.stem, LabelTable(classes, rules))
        for path, document in documents:
            index.add(path, document)
        unique = stems.unique(index.items, index.skipped)
        return Scan(
            unique,
            classes,
            (*skipped, *index.skipped),
            index.lists(unique),
            (*class_notes, *left_out, *notes, *index.notes()),
        )

    def read(self, item: Item) -> Sample:
        """The image, and the mask that its regions paint."""
        table, annotated = cast("tuple[LabelTable, AnnotatedImage]", item.payload)
        path, picture = item.labels[0], cast("Path", item.image)
        data = read_below(picture, self.roots(), MAX_BYTES)
        notes = [*annotated.notes]
        size, upright = _view(data, picture, path, annotated, notes, self.max_pixels)
        listed, region_notes = self._shapes(annotated, table, path, size)
        notes += region_notes
        if not annotated.regions:
            notes.append(Note("no-shapes", "no regions: the mask is all background"))
        order = PaintOrder(self.overlap, _listed(self.priority))
        background = table.classes.background or 0
        painted = paint_file(
            listed,
            size,
            path=path,
            address=annotated.address or "regions",
            order=order,
            background=background,
            objects=self.objects,
        )
        return Sample(
            item.stem,
            data,
            painted.mask,
            painted.objects,
            upright,
            (*notes, *painted.notes),
            painted.pixels,
        )

    def _shapes(
        self, annotated: AnnotatedImage, table: LabelTable, path: Path, size: tuple[int, int]
    ) -> tuple[list[Shape], list[Note]]:
        listed, thin, boxes = list[Shape](), Counter[str](), 0
        for number, region in enumerate(annotated.regions):
            value = table.value(region.label, path, region.address)
            if region.kind in NO_AREA:
                thin[region.kind] += 1
                continue
            if region.kind == "box" and self.boxes != "fill":
                if self.boxes == "error" and value != SKIPPED:
                    raise SourceError(
                        path,
                        f"{region.address}: {shown(region.label)!r} is a box without an outline",
                        "draw its outline, or give --boxes fill|skip",
                        "bad-shape",
                    )
                boxes += 1
                continue
            if value != SKIPPED:
                pixels = scaled(region, size[1], size[0]) if annotated.relative else region
                with shapes_of(path):
                    listed.append(to_shape(pixels, value, number, size))
        notes = [
            Note("shape-without-area", f"{count} {kind} have no area and were not painted")
            for kind, count in sorted(thin.items())
        ]
        if boxes:
            notes.append(Note("box-skipped", f"{boxes} boxes without an outline were not painted"))
        return listed, notes

    def _rules(self) -> LabelRules:
        """The label options, checked early. Raises UsageError."""
        if (self.overlap == "priority") != bool(_listed(self.priority)):
            raise UsageError(
                "bad-option",
                "--overlap priority and --priority a,b,c go together",
                "give both or neither",
            )
        renames = region_labels.renames(self.map)
        return LabelRules(self.classes, self.unknown, self.exclude, renames)


def files_with(root: Path, suffix: str) -> list[Path]:
    """All files below *root* whose name ends with *suffix*, whatever its case, in order."""
    return [
        Path(folder, name)
        for folder, name in listing(str(root))
        if name.lower().endswith(suffix) and not name.startswith(".")
    ]


def readable(reader: RegionReader, most: int = 20) -> Path | None:
    """The first annotation file that *reader* can read, of at most *most*; None if the first sound
    file is of another format.
    """
    for path in reader.documents()[:most]:
        try:
            if reader.parse(path).images:
                return path
        except ForeignFileError:
            return None
        except SegprepError:
            continue
    return None


def subset_of(folder: str) -> str:
    """The official list that a folder stands for: the last of its parts that names one, or ""."""
    parts = [part.lower() for part in PureWindowsPath(folder).parts]
    return next((SPLITS[part] for part in reversed(parts) if part in SPLITS), "")


def _view(
    data: bytes,
    picture: Path,
    path: Path,
    annotated: AnnotatedImage,
    notes: list[Note],
    limit: int,
) -> tuple[tuple[int, int], bool]:
    """(H, W) of the view that was annotated, and whether that is the upright one."""
    head = image.header(data, picture, limit)
    size = annotated.size or head.shape(upright=True)
    return size, drawn_upright(data, picture, size, path, notes, limit)


def _failed(path: Path, failure: engine.Failure) -> Skipped:
    return Skipped(
        stem_of(path.name),
        failure.path,
        failure.code,
        failure.reason,
        failure.hint,
        failure.foreign,
    )


def _listed(names: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in names.split(",") if name.strip())


class _ImageIndex:
    """The items of all documents, as their images are found."""

    def __init__(self, roots: tuple[Path, ...], stem: str, table: LabelTable) -> None:
        self.roots, self.stem, self.table = roots, stem, table
        self.gallery = Gallery.below(roots)
        self._stems: dict[str, list[Path]] = defaultdict(list)
        for places in self.gallery.files.values():
            for folder, name in places:
                self._stems[stem_key(stem_of(name))].append(Path(folder, name))
        self.items = list[Item]()
        self.skipped = list[Skipped]()
        self.subsets: dict[Path, str] = {}
        self.elsewhere = list[str]()

    def add(self, path: Path, document: Document) -> None:
        """The images of *document* that exist; the others are skipped with their reason."""
        for annotated in document.images:
            stem = stem_of(PureWindowsPath(annotated.name).name)
            try:
                if annotated.fault:
                    raise annotated.fault
                self._add(path, annotated)
            except SourceError as error:
                reason = (
                    f"{annotated.address}: {error.reason}" if annotated.address else error.reason
                )
                self.skipped.append(Skipped(stem, str(path), error.code, reason, error.hint))

    def _add(self, path: Path, annotated: AnnotatedImage) -> None:
        picture = annotated.path
        if picture is None and annotated.by_stem:
            picture = self._of_stem(path, (*annotated.aliases, annotated.name))
        if picture is None:
            picture, exact = self.gallery.find(annotated.name, path.parent, annotated.near)
            if not exact:
                self.elsewhere.append(f"{shown(annotated.name)} as {picture}")
        self.gallery.taken.add((str(picture.parent), picture.name))
        root = next(root for root in self.roots if picture.is_relative_to(root))
        folder = str(picture.parent.relative_to(root))
        self.subsets[picture] = annotated.subset or subset_of(folder)
        stem = stems.sample_stem(picture, root, self.stem)
        self.items.append(Item(stem, picture, (path,), (self.table, annotated)))

    def _of_stem(self, path: Path, names: Sequence[str]) -> Path:
        """The image of the first stem of *names* that there is: beside *path*, else the only one
        below the roots.

        Raises SourceError: image-missing, image-ambiguous.
        """
        keys = [stem_key(stem_of(PureWindowsPath(name).name)) for name in names]
        paths = next((self._stems[key] for key in keys if key in self._stems), [])
        near = [image for image in paths if image.parent == path.parent] or paths
        if len(near) == 1:
            return near[0]
        if near:
            listed = ", ".join(map(str, near[:4]))
            reason, code = f"{len(near)} images have its name: {listed}", "image-ambiguous"
            raise SourceError(path, reason, "keep one of them below SRC", code)
        hint = "name the images' folder with --image-root"
        raise SourceError(path, "no image has its name", hint, "image-missing")

    def lists(self, items: Iterable[Item]) -> Mapping[str, tuple[str, ...]]:
        """The official lists that files or folders name, if they name one for every image."""
        lists: dict[str, list[str]] = defaultdict(list)
        for item in sorted(items, key=lambda item: natural_key(item.stem)):
            lists[self.subsets[cast("Path", item.image)]].append(item.stem)
        return {} if "" in lists else {name: tuple(names) for name, names in lists.items()}

    def notes(self) -> list[Note]:
        """What a person should know about the images."""
        notes = []
        if self.elsewhere:
            count = len(self.elsewhere)
            notes.append(
                Note(
                    "image-found-elsewhere",
                    f"{count} images were found by their file name alone: {self.elsewhere[0]}",
                )
            )
        if left := self.gallery.left_over():
            reason = f"{left} more images lie in the same folders; no annotation names them"
            notes.append(Note("image-unlabelled", reason))
        return notes
