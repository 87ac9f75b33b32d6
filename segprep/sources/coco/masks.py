"""The annotations of one image, as a COCO file has them, to its mask: outlines painted, panoptic
segment ids looked up.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from segprep.dataset.classes import IGNORED, is_background
from segprep.errors import SourceError
from segprep.imaging import shapes
from segprep.imaging.coordinates import FARTHEST
from segprep.imaging.coverage import covered_classes
from segprep.imaging.shapes import Painted, Shape
from segprep.imaging.unpainted import Outcome, count_unpainted
from segprep.names import shown
from segprep.sources._common import rle
from segprep.sources.coco import json_stream
from segprep.sources.coco.annotations import Id, is_id
from segprep.types import IGNORE, OBJECT_IGNORE, Note, Overlap, Unpainted

LEFT_OUT = -1
Crowd = Annotated[
    Literal["ignore", "class", "skip"],
    "Regions of many objects (iscrowd): ignore = 255, class = pixels of their class, skip = not"
    " drawn. They lie below all else and are no instances.",
]
BoxOnly = Annotated[
    Literal["error", "ignore", "class", "skip"],
    "Annotations with a box but no outline: error = refuse the image, ignore = the box is 255 below"
    " all else, class = fill the box, skip = leave it out.",
]


@dataclass(frozen=True, slots=True)
class PaintedCategory:
    """What a category is painted as: the pixel *value*, or LEFT_OUT; its *label*; whether its
    objects are instances.
    """

    value: int
    label: str
    thing: bool = True


@dataclass(frozen=True, slots=True)
class Marks:
    """The annotations of ``images[image]``: their *numbers* in the file, and the *text* of each;
    *size* (H, W) if the file states it.
    """

    image: int
    size: tuple[int, int] | None
    numbers: tuple[int, ...] = ()
    texts: tuple[str, ...] = ()

    def annotations(self, path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
        """Each annotation with its address. Raises SourceError for a key that stands twice."""
        for number, text in zip(self.numbers, self.texts, strict=True):
            try:
                yield f"annotations[{number}]", json_stream.element(text)
            except json_stream.TwinKeyError as error:
                raise SourceError(
                    path,
                    f"annotations[{number}]: {error}",
                    "delete one of the two",
                    "duplicate-key",
                ) from error


@dataclass(frozen=True, slots=True)
class PaintPolicy:
    """How annotations are painted; see the options of the same names."""

    crowd: Crowd = "ignore"
    box_only: BoxOnly = "error"
    overlap: Overlap = "order"
    priority: tuple[str, ...] = ()
    objects: bool = False


def outlines(
    marks: Marks,
    meanings: Mapping[Id, PaintedCategory],
    size: tuple[int, int],
    *,
    background: int,
    policy: PaintPolicy,
    path: Path,
) -> tuple[Painted, tuple[Unpainted, ...], list[Note]]:
    """The mask of polygons and RLE, on *size* (H, W); what --exclude and --unknown kept
    from being painted; and notes.

    Raises SourceError with the address in the file *path*.
    """
    under, regions, notes = list[Shape](), list[Shape](), list[Note]()
    unpainted: list[tuple[Shape, Outcome]] = []
    sheet = rle.Sheet(*size)
    for address, raw in marks.annotations(path):
        meaning = _meaning(path, address, raw, meanings)
        crowd, boxed = _is_crowd(path, address, raw), not raw.get("segmentation")
        skipped = (crowd and policy.crowd == "skip") or (boxed and policy.box_only == "skip")
        if skipped:
            continue
        if meaning.value == LEFT_OUT:
            unpainted.append((_skipped(sheet, path, address, raw, meaning), "skipped"))
            continue
        patch = _patch(sheet, path, address, raw, policy=policy, boxed=boxed)
        if patch is None:
            notes.append(Note("degenerate-shape", f"{address} ({meaning.label}) covers no pixel"))
            continue
        ignored = (crowd and policy.crowd == "ignore") or (boxed and policy.box_only == "ignore")
        shape = Shape(
            "stamp",
            (patch.x, patch.y),
            IGNORE if ignored else meaning.value,
            meaning.label,
            address,
            address if meaning.thing and not crowd else None,
            bitmap=shapes.pack(patch.bits),
        )
        (under if crowd or ignored else regions).append(shape)
        if outcome := _outcome(meaning, background):
            unpainted.append((shape, outcome))
    order = shapes.PaintOrder(policy.overlap, policy.priority)
    painted = shapes.paint_file(
        regions,
        size,
        path=path,
        address="annotations",
        order=order,
        under=under,
        background=background,
        objects=policy.objects,
    )
    losses = covered_classes(regions, painted, order, background=background, under=under)
    return painted, count_unpainted(unpainted, size), [*notes, *painted.notes, *losses]


def _outcome(meaning: PaintedCategory, background: int) -> Outcome | None:
    """What --unknown made of a category; None where it is painted as its own class."""
    if meaning.value == IGNORE and meaning.label != IGNORED:
        return "ignored"
    if meaning.value == background and not is_background(meaning.label):
        return "background"
    return None


def _skipped(
    sheet: rle.Sheet, path: Path, address: str, raw: Mapping[str, Any], meaning: PaintedCategory
) -> Shape:
    """The shape of a skipped annotation, to be counted; empty for one that cannot be drawn."""
    try:
        patch = _patch(sheet, path, address, raw, policy=PaintPolicy(), boxed=False)
    except SourceError:
        patch = None
    bits = np.zeros((1, 1), np.bool_) if patch is None else patch.bits
    x, y = (0, 0) if patch is None else (patch.x, patch.y)
    return Shape("stamp", (x, y), 0, meaning.label, address, None, bitmap=shapes.pack(bits))


def _patch(
    sheet: rle.Sheet,
    path: Path,
    address: str,
    raw: Mapping[str, Any],
    *,
    policy: PaintPolicy,
    boxed: bool,
) -> rle.Patch | None:
    outline = raw.get("segmentation")
    if boxed:
        if policy.box_only == "error":
            reason = f"{address}.segmentation: is empty, so that there is at most a box"
            hint = "draw its outline, or give --box-only ignore|class|skip"
            raise SourceError(path, reason, hint, "bad-shape")
        outline = [_box(path, address, raw.get("bbox"))]
    try:
        return sheet.patch(outline)
    except rle.SegmentationError as error:
        reason = f"{address}.{'bbox' if boxed else 'segmentation'}{error}"
        raise SourceError(path, reason, "fix or remove the annotation", error.code) from error


def _box(path: Path, address: str, box: Any) -> list[float]:
    """``[x, y, w, h]`` as a polygon."""
    if (
        not isinstance(box, list)
        or len(box) != 4
        or not all(type(value) in (int, float) and abs(value) <= FARTHEST for value in box)
    ):
        reason = f"{address}.bbox: [x, y, width, height] was expected, not {shown(box)[:80]}"
        raise SourceError(path, reason, code="bad-shape")
    x, y, w, h = box
    return [x, y, x, y + h, x + w, y + h, x + w, y]


def _meaning(
    path: Path, address: str, raw: Mapping[str, Any], meanings: Mapping[Id, PaintedCategory]
) -> PaintedCategory:
    key: Any = raw.get("category_id")
    if not is_id(key) or key not in meanings:
        reason = f"{address}.category_id: {shown(key)[:80]} is not a category of the file"
        raise SourceError(path, reason, "add the category, or fix the id", "unknown-label")
    return meanings[key]


def _is_crowd(path: Path, address: str, raw: Mapping[str, Any]) -> bool:
    crowd = raw.get("iscrowd", 0)
    if type(crowd) not in (int, float, bool) or crowd not in (0, 1):
        reason = f"{address}.iscrowd: 0 or 1 was expected, not {shown(crowd)[:80]}"
        raise SourceError(path, reason)
    return bool(crowd)


def panoptic(
    marks: Marks,
    meanings: Mapping[Id, PaintedCategory],
    colors: NDArray[np.uint8],
    *,
    background: int,
    policy: PaintPolicy,
    path: Path,
) -> tuple[NDArray[np.uint8], "NDArray[np.uint16] | None", list[Note]]:
    """Mask (H, W), instances and notes of a panoptic PNG, *colors* (H, W, 3); id 0 means that
    nobody labeled the pixel: 255. Raises SourceError.
    """
    ids = colors.astype(np.int32) @ np.array([1, 256, 65_536], np.int32)
    segments = _segments(marks, meanings, background, policy, path)
    known = np.array(sorted(segments), np.int32)
    position = np.minimum(np.searchsorted(known, ids), len(known) - 1)
    if (unknown := known[position] != ids).any():
        reason = (
            f"has {int(unknown.sum())} pixels of segments that segments_info does not list, the"
            f" first of id {int(ids[unknown][0])}"
        )
        raise SourceError(path, reason, "export JSON and PNG together again", "unknown-value")
    counts = np.bincount(position.reshape(-1), minlength=len(known))
    notes = [
        Note("hidden-shape", f"{segments[int(key)].address} has no pixel in the PNG")
        for key, count in zip(known, counts, strict=True)
        if not count and key
    ]
    listed = [segments[int(key)] for key in known]
    values = np.array([segment.value for segment in listed])
    mask = values.astype(np.uint8)[position]
    if not policy.objects:
        return mask, None, notes
    things = np.array([segment.thing for segment in listed]) & (counts > 0)
    numbers = np.where(values == IGNORE, OBJECT_IGNORE, np.where(things, np.cumsum(things), 0))
    return mask, numbers.astype(np.uint16)[position], notes


@dataclass(frozen=True, slots=True)
class Segment:
    """What the pixels of a panoptic segment become: *value*; *thing*: an instance of its own."""

    value: int
    address: str
    thing: bool


def _segments(
    marks: Marks,
    meanings: Mapping[Id, PaintedCategory],
    background: int,
    policy: PaintPolicy,
    path: Path,
) -> dict[int, Segment]:
    """The segments by their id; 0 is what nobody labeled."""
    segments = {0: Segment(IGNORE, "no segment", False)}
    for address, annotation in marks.annotations(path):
        listed = annotation.get("segments_info")
        if not isinstance(listed, list):
            raise SourceError(path, f"{address}.segments_info: a list was expected")
        for number, raw in enumerate(listed):
            where = f"{address}.segments_info[{number}]"
            key = raw.get("id") if isinstance(raw, dict) else None
            if type(key) is not int or not 0 < key < 1 << 24:
                raise SourceError(path, f"{where}.id: a number from 1 to 16777215 was expected")
            if key in segments:
                raise SourceError(path, f"{where}.id: {key} is the id of another segment too")
            meaning, crowd = _meaning(path, where, raw, meanings), _is_crowd(path, where, raw)
            value = _segment_value(meaning, crowd, background, policy)
            thing = meaning.thing and not crowd and value not in (background, IGNORE)
            segments[key] = Segment(value, f"{where} ({meaning.label})", thing)
    return segments


def _segment_value(
    meaning: PaintedCategory, crowd: bool, background: int, policy: PaintPolicy
) -> int:
    if meaning.value == LEFT_OUT or (crowd and policy.crowd == "skip"):
        return background
    return IGNORE if crowd and policy.crowd == "ignore" else meaning.value
