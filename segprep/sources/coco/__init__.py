"""COCO annotation files: instances, stuff and panoptic, with polygons, RLE or PNGs.

    src/
      annotations/instances_train2017.json    {"images": [{"id", "file_name", "height", "width"}],
                  instances_val2017.json       "categories": [{"id", "name"}],
                                               "annotations": [{"image_id", "category_id",
                                                                "segmentation", "iscrowd"}]}
      annotations/panoptic_val2017.json       "annotations": [{"image_id", "file_name",
                                                               "segments_info": [{"id",
                                                                                "category_id"}]}]
                  panoptic_val2017/NAME.png   segment id = R + 256 G + 65536 B
      images/… or train2017/…                 found by file_name, below SRC or --image-root

Format: https://cocodataset.org/#format-data. Assumptions: coordinates are pixels of the upright
picture; of several files each has its own images, categories are the same where their names are,
and names or folders with train, val or test make them official lists.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, cast

from segprep.errors import SourceError
from segprep.files import read_below, walk
from segprep.imaging import image, mask_files, paired_masks
from segprep.names import stem_of
from segprep.sources._common.classes.label_options import LabelOptions
from segprep.sources._common.classes.labels import LabelTable
from segprep.sources._common.shapes import rle
from segprep.sources._common.shapes.outlines import drawn
from segprep.sources.coco import categories, chosen_files, coco_file, drawing, file_kinds
from segprep.sources.coco.annotated_images import AnnotatedImages
from segprep.sources.coco.categories import Names
from segprep.sources.coco.coco_file import CocoFile
from segprep.sources.coco.marks import BoxOnly, Crowd, Marks
from segprep.sources.coco.panoptic import Panoptic, panoptic
from segprep.types import Evidence, Item, Note, Progress, Sample, Scan, Skipped, no_progress

_DEEPEST, _TRIED = 4, 50  # names in a path from SRC on, files that are looked at

_BOXES = (
    "segmentation needs outlines or masks: export them, or fill the boxes: segprep convert coco SRC"
    " OUT --box-only class"
)

EXAMPLES = (
    "segprep convert coco coco/ out/ --annotations 'instances_*.json'",
    "segprep convert coco coco/ out/ --annotations 'panoptic_*.json' --objects",
    (
        "segprep convert coco export/ out/ --image-root photos/ --classes person,car --unknown skip"
        " --overlap area"
    ),
)


@dataclass(frozen=True, slots=True)
class Reader(LabelOptions):
    """Read images with COCO annotation files; the class list is _background_, then the categories
    by id.
    """

    objects: Annotated[
        bool,
        "Write SegmentationObject as well: one id per annotation of a thing, none for crowds and"
        " stuff.",
    ] = False
    annotations: Annotated[
        tuple[str, ...],
        "Only these JSON files below SRC: a name, a path from SRC, or a pattern such as"
        " 'instances_*.json'.",
    ] = ()
    crowd: Crowd = "ignore"
    box_only: BoxOnly = "error"

    @classmethod
    def recognize(cls, root: Path) -> Evidence | None:
        """A JSON file in SRC or up to three folders below, the outermost first, with the keys of
        COCO at its beginning or end; one of boxes alone is weak evidence, for masks may lie beside.
        """
        real, boxes = root.resolve(), ""
        jsons = [path for path in walk(real) if path.suffix.lower() == ".json"]
        near = [path for path in jsons if len(path.relative_to(real).parts) <= _DEEPEST]
        for path in sorted(near, key=lambda path: (len(path.parts), path))[:_TRIED]:
            try:
                kind = file_kinds.looks_like(path, (real,))
            except SourceError:
                continue
            name = path.relative_to(real).as_posix()
            if kind == "outlines":
                return Evidence(0.95, f"{name} has images, annotations and categories")
            boxes = boxes or (name if kind else "")
        if not boxes:
            return None
        return Evidence(0.4, f"{boxes} has boxes, but no outlines", _BOXES)

    def scan(self, jobs: int = 1, progress: Progress[Any] = no_progress) -> Scan:
        """Every entry of images is an item; each JSON file is read once, here."""
        roots, rules = self.roots(), self.rules()
        paths, others = chosen_files.choose(roots, self.annotations)
        files, skipped = _loaded(progress(paths, len(paths), "reading annotations"), roots)
        drawing.refuse_nothing(files, self.box_only, self.classes)
        if any(file.polygons for file in files):
            rle.pycocotools()
        words = categories.vocabulary(files, rules)
        listed = AnnotatedImages.of(files, roots, self.stem)
        collisions: list[Skipped] = []
        items = listed.items(words, collisions)
        return Scan(
            items,
            words.table.classes,
            (*others, *skipped, *collisions, *listed.skipped),
            listed.lists(items),
            (
                *words.notes,
                *drawing.drawn_boxes(files),
                *listed.notes(),
                *_crowds(files, self.crowd),
            ),
        )

    def read(self, item: Item) -> Sample:
        """The image, and the mask of its annotations."""
        roots, notes = self.roots(), list[Note]()
        path, picture = item.labels[0], cast("Path", item.image)
        table, names, marks = cast("tuple[LabelTable, Names, Marks]", item.payload)
        data = read_below(picture, roots)
        size = _size(data, picture, path, marks, self.max_pixels)
        upright = paired_masks.drawn_upright(data, picture, size, path, notes, self.max_pixels)
        if not marks.numbers:
            notes.append(Note("no-shapes", "no annotations: the mask is all background"))
        if len(item.labels) > 1:
            image_masks = self._looked_up(item, size)
            return Sample(
                item.stem,
                data,
                image_masks.mask,
                image_masks.objects,
                upright,
                (*notes, *image_masks.notes),
                unpainted=image_masks.unpainted,
            )
        outlines = drawing.outlines(
            marks,
            categories.by_id(names),
            size,
            crowd=self.crowd,
            box_only=self.box_only,
            path=path,
        )
        skip_bad, background = self.bad_shape == "skip", table.classes.background
        shapes = drawn(outlines, table, path=path, size=size, skip_bad=skip_bad)
        painted, more = self.painted(
            shapes, size, path=path, address="annotations", background=background
        )
        return Sample(
            item.stem,
            data,
            painted.mask,
            painted.objects,
            upright,
            (*notes, *shapes.notes, *more),
            painted.pixels,
            shapes.unpainted,
        )

    def _looked_up(self, item: Item, size: tuple[int, int]) -> Panoptic:
        """The masks of the panoptic PNG of *item*, whose image has *size* (H, W).

        Raises SourceError.
        """
        table, names, marks = cast("tuple[LabelTable, Names, Marks]", item.payload)
        path, png = item.labels
        colors = mask_files.colors(read_below(png, self.roots()), png, self.max_pixels)
        if colors.shape[:2] != size:
            reason = f"is {colors.shape[1]}x{colors.shape[0]}, its image {size[1]}x{size[0]} pixels"
            raise SourceError(png, reason, code="size-mismatch")
        return panoptic(
            marks,
            categories.by_id(names),
            colors,
            table,
            crowd=self.crowd,
            objects=self.objects,
            path=path,
        )


def _loaded(
    paths: "Sequence[Path] | Any", roots: tuple[Path, ...]
) -> tuple[list[CocoFile], list[Skipped]]:
    """The files at *paths*, and those that cannot be used."""
    files, skipped = list[CocoFile](), list[Skipped]()
    for path in paths:
        try:
            files.append(coco_file.load(path, roots))
        except SourceError as error:
            reason = error.reason
            skipped.append(Skipped(stem_of(path.name), str(path), error.code, reason, error.hint))
    return files, skipped


def _crowds(files: Sequence[CocoFile], crowd: Crowd) -> list[Note]:
    crowds, total = sum(file.crowds for file in files), sum(file.used.total() for file in files)
    if not crowds or crowd != "ignore":
        return []
    every = "all annotations are" if crowds == total else f"{crowds} of {total} annotations are"
    reason = f"{every} crowd regions (iscrowd) and become 255; --crowd class|skip" + (
        " is most likely meant" if crowds == total else ""
    )
    return [Note("crowd-ignored", reason)]


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
        hint = "restore the image that was annotated"
        if marks.size == upright[::-1]:
            reason += ": width and height are swapped"
            hint = "if only the numbers are swapped, swap them in the file"
        raise SourceError(path, reason, hint, "size-mismatch")
    return marks.size or upright
