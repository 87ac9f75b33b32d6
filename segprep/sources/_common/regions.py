"""Annotation files that list labeled regions of images: what every such format shares.

A format says which files it reads and what stands in one (:class:`Document`); this room finds the
images, makes the class list, and paints.
"""

from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, cast

from segprep import engine
from segprep.errors import ForeignFileError, SegprepError, SourceError, UsageError
from segprep.files import MAX_BYTES, listing, read_below, real_folders
from segprep.imaging import image
from segprep.imaging.coordinates import shapes_of
from segprep.imaging.mask_files import drawn_upright
from segprep.imaging.shapes import PaintOrder, Shape, paint_file
from segprep.names import shown, stem_of
from segprep.sources._common import region_labels, stems
from segprep.sources._common.region_labels import SKIPPED, LabelRules, LabelTable
from segprep.sources._common.region_shapes import Boxes, scaled, to_shape
from segprep.sources._common.source_images import AnnotatedImage, SourceImages
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
        index, table = SourceImages(roots, self.stem), LabelTable(classes, rules)
        for path, document in documents:
            index.add(path, document.images, table)
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
