"""Annotation files that list labeled regions of images: what every such format shares.

A format says which files it reads and what stands in one (:class:`Document`); this room finds the
images, makes the class list, and paints.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, cast

from segprep import engine
from segprep.errors import ForeignFileError, SegprepError, ShapeError
from segprep.files import MAX_BYTES, listing, read_below
from segprep.imaging import image
from segprep.imaging.paired_masks import drawn_upright
from segprep.imaging.shapes import Shape
from segprep.names import shown, stem_of
from segprep.sources._common.classes import class_list
from segprep.sources._common.classes.label_options import LabelOptions
from segprep.sources._common.classes.labels import LabelMeaning, LabelRules, LabelTable
from segprep.sources._common.images.source_images import AnnotatedImage, SourceImages
from segprep.sources._common.pairing import stems
from segprep.sources._common.pairing.official_lists import ListsFromFolders
from segprep.sources._common.shapes import region_areas, region_attributes
from segprep.sources._common.shapes.outlines import LabeledOutline, drawn
from segprep.sources._common.shapes.region_attributes import ClassFrom
from segprep.sources._common.shapes.region_shapes import Boxes, Region, scaled, to_shape
from segprep.sources._common.texts import chosen_files
from segprep.types import Item, Note, Progress, Sample, Scan, Skipped, no_progress

_OF_FORMAT = ("bad-annotation", "bad-label", "bad-shape", "unknown-shape-type")


@dataclass(frozen=True, slots=True)
class Document:
    """What one annotation file holds: its images, the classes it *declared* in their order, and the
    names of its regions' *attributes*.
    """

    images: tuple[AnnotatedImage, ...]
    declared: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    attributes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RegionReader(LabelOptions):
    """The options and the work that formats of regions share.

    A format defines :meth:`documents` and :meth:`parse`; :meth:`declared` where a further file
    declares the classes.
    """

    boxes: Boxes = "error"
    annotations: Annotated[
        tuple[str, ...],
        "Only these annotation files below SRC: a name, a path from SRC, or a pattern.",
    ] = ()
    lists_from_folders: ListsFromFolders = "auto"

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

    def attribute(self) -> str:
        """The attribute that holds the class of a region; "" where its label does."""
        return ""

    def scan(self, jobs: int = 1, progress: Progress[Any] = no_progress) -> Scan:
        """Every image that an annotation file names is an item; each file is read once, here."""
        rules = self.rules()
        roots, paths = self.roots(), self.documents()
        if self.annotations:
            paths = chosen_files.named(paths, roots[0], self.annotations)
        context = self.context()
        parse = partial(_labeled, self, context=context)
        results = progress(engine.run(parse, paths, jobs=jobs), len(paths), "reading labels")
        documents, skipped, notes = [], list[Skipped](), list[Note]()
        for path, result in zip(paths, results, strict=True):
            if isinstance(result, engine.Failure):
                skipped.append(_failed(path, result))
            else:
                documents.append((path, result))
                notes += result.notes
        images = [image for _, document in documents for image in document.images]
        self._check_attribute([document for _, document in documents])
        notes += region_areas.check(images, self.boxes, self.classes)
        table, class_notes = self._label_table(rules, documents, context)
        from_folders = self.lists_from_folders == "auto"
        index = SourceImages(roots, self.stem, from_folders=from_folders)
        for path, document in documents:
            index.add(path, document.images, table)
        images_of = ((item.labels[0], cast("Path", item.image)) for item in index.items)
        chosen_files.check_rivals(images_of, roots[0])
        unique = stems.unique(index.items, index.skipped)
        lists = index.lists(unique)
        drawn_stems = {item.stem for item in unique if item.payload[1].regions}
        region_areas.refuse_empty_lists(lists, drawn_stems, self.classes)
        way = "--annotations PATTERN"
        return Scan(
            unique,
            table.classes,
            (*skipped, *(stems.with_exclusion(skip, way) for skip in index.skipped)),
            lists,
            (*class_notes, *notes, *index.notes()),
        )

    def _check_attribute(self, documents: Sequence[Document]) -> None:
        """Raise UsageError where there are regions, and none has the attribute."""
        names = dict.fromkeys(name for document in documents for name in document.attributes)
        images = (image for document in documents for image in document.images)
        if self.attribute() and self.attribute() not in names and any(i.regions for i in images):
            raise region_attributes.absent(self.attribute(), names)

    def _label_table(
        self, rules: LabelRules, documents: Sequence[tuple[Path, Document]], context: Any
    ) -> tuple[LabelTable, tuple[Note, ...]]:
        """The class list: ``--classes``, else what a file declares, else all labels.

        Raises SegprepError.
        """
        if self.classes is not None:
            classes, origin = class_list.stated(self.classes)
            return LabelTable(classes, rules, origin), ()
        names, origin = ((), "") if self.attribute() else self.declared(context)
        for path, document in documents:
            if not names and document.declared and not self.attribute():
                names, origin = document.declared, path.name
        if any(not rules.excludes(name) for name in names):
            classes, note = class_list.declared(rules, names, origin)
            return LabelTable(classes, rules, origin), (note,)
        labels = Counter(
            region.label
            for _, document in documents
            for image in document.images
            for region in image.regions
            if not region.fault
        )
        classes, notes = class_list.inferred(rules, labels, self.roots()[0])
        return LabelTable(classes, rules, class_list.MADE), notes

    def read(self, item: Item, data: bytes | None = None) -> Sample:
        """The image, and the mask that its regions paint; *data*: the image's, if read already."""
        table, annotated = cast("tuple[LabelTable, AnnotatedImage]", item.payload)
        path, picture = item.labels[0], cast("Path", item.image)
        data = read_below(picture, self.roots(), MAX_BYTES) if data is None else data
        notes = [*annotated.notes]
        size, upright = _view(data, picture, path, annotated, notes, self.max_pixels)
        if not annotated.regions:
            notes.append(Note("no-shapes", "no regions: the mask is all background"))
        outlines = (
            LabeledOutline(
                region.address,
                partial(_label, region),
                partial(self._shape, annotated, number, size),
            )
            for number, region in enumerate(annotated.regions)
        )
        skip_bad = self.bad_shape == "skip"
        drawing = drawn(outlines, table, path=path, size=size, skip_bad=skip_bad)
        painted, more = self.painted(
            drawing,
            size,
            path=path,
            address=annotated.address or "regions",
            background=table.classes.background,
        )
        if not skip_bad:
            region_areas.refuse_outside(path, drawing.shapes, painted.notes, size)
        return Sample(
            item.stem,
            data,
            painted.mask,
            painted.objects,
            upright,
            (*notes, *region_areas.counted(drawing.notes), *more),
            painted.pixels,
            drawing.unpainted,
        )

    def _shape(
        self,
        annotated: AnnotatedImage,
        number: int,
        size: tuple[int, int],
        meaning: LabelMeaning,
    ) -> Shape | Note:
        """What region *number* paints on *size* (H, W); a note for one without an area, or a box
        that is not to be filled. Raises ShapeError.
        """
        region = annotated.regions[number]
        if region.kind in region_areas.NO_AREA:
            return Note(
                "shape-without-area",
                f"{region_areas.PLURALS[region.kind]} have no area and were not painted",
            )
        if region.kind == "box" and not meaning.is_skipped:
            if self.boxes == "error":
                raise ShapeError(
                    f"{region.address}: {shown(region.label)!r} is a box without an outline",
                    "draw its outline, or give --boxes fill|skip",
                )
            if self.boxes == "skip":
                return Note("box-skipped", "boxes without an outline were not painted")
        if region.sheet and region.sheet != size:
            reason = (
                f"the mask is {region.sheet[1]}x{region.sheet[0]}, its image {size[1]}x{size[0]}"
            )
            hint = "pair each mask with its own image; a mask is never resized here"
            raise ShapeError(f"{region.address}: {reason} pixels", hint, "size-mismatch")
        pixels = scaled(region, size[1], size[0]) if annotated.relative else region
        return to_shape(pixels, meaning, number, size)


@dataclass(frozen=True, slots=True)
class AttributeReader(RegionReader):
    """A reader of regions that carry attributes."""

    class_from: ClassFrom = ""

    def attribute(self) -> str:
        """What ``--class-from`` names."""
        return self.class_from


def _labeled(reader: RegionReader, path: Path, context: Any = None) -> Document:
    document = reader.parse(path, context)
    images, names = region_attributes.relabeled(document.images, reader.attribute())
    return replace(document, images=images, attributes=names)


def _label(region: Region) -> str:
    if region.fault:
        raise ShapeError(region.fault, region_attributes.HINT, "bad-label")
    return region.label


def files_with(root: Path, suffix: str) -> list[Path]:
    """All files below *root* whose name ends with *suffix*, whatever its case, in order."""
    return [
        Path(folder, name)
        for folder, name in listing(str(root))
        if name.lower().endswith(suffix) and not name.startswith(".")
    ]


def readable(reader: RegionReader, most: int = 20) -> Path | None:
    """The first annotation file that *reader* can read, of at most *most*, else the first one of
    its format that has a fault; None if the first sound file is of another format.
    """
    faulty = None
    for path in reader.documents()[:most]:
        try:
            if reader.parse(path).images:
                return path
        except ForeignFileError:
            return None
        except SegprepError as error:
            faulty = faulty or (path if error.code in _OF_FORMAT else None)
    return faulty


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
