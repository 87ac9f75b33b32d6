"""Polygons and RLE of one image as outlines, drawn by pycocotools."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any

from segprep.errors import ShapeError, UsageError
from segprep.imaging import shapes
from segprep.imaging.coordinates import FARTHEST
from segprep.imaging.shapes import Shape
from segprep.names import shown
from segprep.sources._common.classes.labels import LabelMeaning
from segprep.sources._common.shapes import region_areas, rle
from segprep.sources._common.shapes.outlines import LabeledOutline, refuse_normalized
from segprep.sources.coco import file_kinds, json_stream
from segprep.sources.coco.coco_file import CocoFile, Id
from segprep.sources.coco.marks import BoxOnly, Crowd, Marks, Naming, is_crowd, naming
from segprep.types import IGNORE, Note

_TRIED = 500  # outlines that are looked at for boxes


def refuse_nothing(files: Sequence[CocoFile], box_only: BoxOnly, classes: str | None) -> None:
    """Raise UsageError where the *files* hold no annotation, and no list of *classes* says that
    this is meant; or several, all of them boxes without an outline, unless *box_only* paints these.
    """
    sound = files and not any(file.skipped or file.masks or file.marks for file in files)
    if sound and (images := sum(len(file.pictures) for file in files)):
        region_areas.refuse_empty(images, classes)
    if box_only in ("class", "ignore"):
        return
    count, texts = _texts(files)
    if count > 1 and not any(file_kinds.has_outline(text.encode()) for text in texts):
        raise UsageError(
            "shape-without-area",
            f"nothing would be painted: the {count:,} annotations are boxes without an outline",
            "segmentation needs outlines or masks: export them, or fill the boxes with --box-only"
            " class (their corners become their class, too)",
        )


def drawn_boxes(files: Sequence[CocoFile]) -> list[Note]:
    """A note where nearly all outlines of the *files* that are tried are boxes."""
    count, texts = _texts(files)
    boxes = outlines = 0
    for text in islice(texts, 0, None, max(1, count // _TRIED)):
        try:
            outline = json_stream.element(text).get("segmentation")
        except json_stream.TwinKeyError:
            continue  # told when the image is read
        outlines += bool(outline)
        ring = outline[0] if isinstance(outline, list) and len(outline) == 1 else None
        if isinstance(ring, list) and all(type(value) in (int, float) for value in ring):
            boxes += region_areas.is_box([tuple(ring)])
    return region_areas.drawn_boxes(boxes, outlines)


def _texts(files: Sequence[CocoFile]) -> tuple[int, Iterator[str]]:
    """How many annotations the *files* without panoptic PNGs have, and the text of each, image by
    image.
    """
    outlined = [file for file in files if not file.masks]
    count = sum(len(marks) for file in outlined for marks in file.marks.values())
    numbers = ((file, chain.from_iterable(file.marks.values())) for file in outlined)
    return count, chain.from_iterable(map(file.texts.__getitem__, own) for file, own in numbers)


def outlines(
    marks: Marks,
    categories: Mapping[Id, Naming],
    size: tuple[int, int],
    *,
    crowd: Crowd,
    box_only: BoxOnly,
    path: Path,
) -> Iterator[LabeledOutline]:
    """The annotations of an image of *size* (H, W) in the file's order; crowds, and what is
    ignored, lie below all else. Raises SourceError with the address in the file *path*.
    """
    sheet, coordinates = rle.Sheet(*size), list[float]()
    for address, raw in marks.annotations(path):
        category = naming(path, address, raw, categories)
        many, boxed = is_crowd(path, address, raw), not raw.get("segmentation")
        if (many and crowd == "skip") or (boxed and box_only == "skip"):
            continue
        ignored = (many and crowd == "ignore") or (boxed and box_only == "ignore")
        shape = partial(
            _shape,
            sheet,
            address,
            raw,
            refused=boxed and box_only == "error",
            value=IGNORE if ignored else None,
            key=address if category.thing and not many else None,
        )
        coordinates += _plain(raw.get("segmentation"))
        yield LabeledOutline(address, partial(str, category.name), shape, under=many or ignored)
    refuse_normalized(path, coordinates, size)


def _plain(outline: Any) -> list[float]:
    """The first coordinates of polygons; none of RLE and of what cannot be drawn."""
    rings = outline if isinstance(outline, list) else []
    points = [value for ring in rings if isinstance(ring, list) for value in ring[:8]]
    return points if all(type(value) in (int, float) for value in points) else []


def _shape(
    sheet: rle.Sheet,
    address: str,
    raw: Mapping[str, Any],
    meaning: LabelMeaning,
    *,
    refused: bool,
    value: int | None,
    key: object,
) -> Shape | Note:
    """The pixels of one annotation, to be painted as *value* if given; a note if it covers none.

    Raises ShapeError; also for a box without an outline, if that is *refused*.
    """
    outline, what = raw.get("segmentation"), "segmentation"
    if not outline:
        if refused and not meaning.is_skipped:
            reason = f"{address}.segmentation: is empty, so that there is at most a box"
            raise ShapeError(reason, "draw its outline, or give --box-only ignore|class|skip")
        outline, what = [_box(address, raw.get("bbox"))], "bbox"
    try:
        patch = sheet.patch(outline)
    except rle.SegmentationError as error:
        reason = f"{address}.{what}{error}"
        raise ShapeError(reason, "fix or remove the annotation", error.code) from error
    if patch is None:
        return Note("degenerate-shape", f"{address} ({meaning.label}) covers no pixel")
    return Shape(
        "stamp",
        (patch.x, patch.y),
        meaning.value if value is None else value,
        meaning.label,
        address,
        key,
        bitmap=shapes.pack(patch.bits),
    )


def _box(address: str, box: Any) -> list[float]:
    """``[x, y, w, h]`` as a polygon. Raises ShapeError."""
    if (
        not isinstance(box, list)
        or len(box) != 4
        or not all(type(value) in (int, float) and abs(value) <= FARTHEST for value in box)
    ):
        reason = f"{address}.bbox: [x, y, width, height] was expected, not {shown(box)[:80]}"
        raise ShapeError(reason, "fix or remove the annotation")
    x, y, w, h = box
    return [x, y, x, y + h, x + w, y + h, x + w, y]
