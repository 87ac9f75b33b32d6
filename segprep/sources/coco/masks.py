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
    "Regions of many objects (iscrowd): ignore = 255, class = pixels of their class, skip = left"
    " out. They lie below all else and are no instances.",
]
BoxOnly = Annotated[
    Literal["error", "ignore", "class", "skip"],
    "Annotations with a box but no outline: error = refuse the image, ignore = the box is 255 below"
    " all else, class = fill the box, skip = leave it out.",
]


@dataclass(frozen=True, slots=True)
class Meaning:
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
class Policy:
    """How annotations are painted; see the options of the same names."""

    crowd: Crowd = "ignore"
    box_only: BoxOnly = "error"
    overlap: Overlap = "order"
    priority: tuple[str, ...] = ()
    objects: bool = False


def outlines(
    marks: Marks,
    meanings: Mapping[Id, Meaning],
    size: tuple[int, int],
    background: int,
    policy: Policy,
    path: Path,
    notes: list[Note],
) -> tuple[Painted, tuple[Unpainted, ...]]:
    """The mask of polygons and run lengths, on *size* (H, W); and what --exclude and --unknown kept
    from being painted.

    Raises SourceError with the address in the file *path*.
    """
    under: list[Shape] = []
    regions: list[Shape] = []
    unpainted: list[tuple[Shape, Outcome]] = []
    sheet = rle.Sheet(*size)
    for where, raw in marks.annotations(path):
        meaning, crowd, boxed = (
            _meaning(path, where, raw, meanings),
            _is_crowd(path, where, raw),
            not raw.get("segmentation"),
        )
        if (crowd and policy.crowd == "skip") or (boxed and policy.box_only == "skip"):
            continue
        if meaning.value == LEFT_OUT:
            unpainted.append((_skipped(sheet, path, where, raw, meaning), "skipped"))
            continue
        patch = _patch(sheet, path, where, raw, policy, boxed)
        if patch is None:
            notes.append(Note("degenerate-shape", f"{where} ({meaning.label}) covers no pixel"))
            continue
        ignored = (crowd and policy.crowd == "ignore") or (boxed and policy.box_only == "ignore")
        key = where if meaning.thing and not crowd else None
        shape = Shape(
            "stamp",
            (patch.x, patch.y),
            IGNORE if ignored else meaning.value,
            meaning.label,
            where,
            key,
            bitmap=shapes.pack(patch.bits),
        )
        (under if crowd or ignored else regions).append(shape)
        if outcome := _outcome(meaning, background):
            unpainted.append((shape, outcome))
    painted = shapes.paint_file(
        regions,
        size,
        path=path,
        address="annotations",
        order=shapes.PaintOrder(policy.overlap, policy.priority),
        under=under,
        background=background,
        objects=policy.objects,
    )
    return painted, count_unpainted(unpainted, size)


def _outcome(meaning: Meaning, background: int) -> Outcome | None:
    """What --unknown made of a category; None where it is painted as its own class."""
    if meaning.value == IGNORE and meaning.label != IGNORED:
        return "ignored"
    if meaning.value == background and not is_background(meaning.label):
        return "background"
    return None


def _skipped(
    sheet: rle.Sheet, path: Path, where: str, raw: Mapping[str, Any], meaning: Meaning
) -> Shape:
    """The shape of a skipped annotation, to be counted; of one that cannot be drawn, an empty one."""
    try:
        patch = _patch(sheet, path, where, raw, Policy(), boxed=False)
    except SourceError:
        patch = None
    bits = np.zeros((1, 1), np.bool_) if patch is None else patch.bits
    x, y = (0, 0) if patch is None else (patch.x, patch.y)
    return Shape("stamp", (x, y), 0, meaning.label, where, None, bitmap=shapes.pack(bits))


def _patch(
    sheet: rle.Sheet,
    path: Path,
    where: str,
    raw: Mapping[str, Any],
    policy: Policy,
    boxed: bool,
) -> rle.Patch | None:
    outline = raw.get("segmentation")
    if boxed:
        if policy.box_only == "error":
            hint = "draw its outline, or give --box-only ignore|class|skip"
            raise SourceError(
                path,
                f"{where}.segmentation: is empty, so that there is at most a box",
                hint,
                "bad-shape",
            )
        outline = [_box(path, where, raw.get("bbox"))]
    try:
        return sheet.patch(outline)
    except rle.SegmentationError as error:
        raise SourceError(
            path,
            f"{where}.{'bbox' if boxed else 'segmentation'}{error}",
            "mend or remove the annotation",
            error.code,
        ) from error


def _box(path: Path, where: str, box: Any) -> list[float]:
    """``[x, y, w, h]`` as a polygon."""
    if (
        not isinstance(box, list)
        or len(box) != 4
        or not all(type(value) in (int, float) and abs(value) <= FARTHEST for value in box)
    ):
        raise SourceError(
            path,
            f"{where}.bbox: [x, y, width, height] was expected, not {shown(box)[:80]}",
            code="bad-shape",
        )
    x, y, w, h = box
    return [x, y, x, y + h, x + w, y + h, x + w, y]


def _meaning(
    path: Path, where: str, raw: Mapping[str, Any], meanings: Mapping[Id, Meaning]
) -> Meaning:
    given: Any = raw.get("category_id")
    if not is_id(given) or given not in meanings:
        raise SourceError(
            path,
            f"{where}.category_id: {shown(given)[:80]} is no category of the file",
            "add the category, or mend the id",
            "unknown-label",
        )
    return meanings[given]


def _is_crowd(path: Path, where: str, raw: Mapping[str, Any]) -> bool:
    given = raw.get("iscrowd", 0)
    if type(given) not in (int, float, bool) or given not in (0, 1):
        raise SourceError(path, f"{where}.iscrowd: 0 or 1 was expected, not {shown(given)[:80]}")
    return bool(given)


def panoptic(
    marks: Marks,
    meanings: Mapping[Id, Meaning],
    colours: NDArray[np.uint8],
    background: int,
    policy: Policy,
    path: Path,
    notes: list[Note],
) -> tuple[NDArray[np.uint8], "NDArray[np.uint16] | None"]:
    """Mask (H, W) and instances of a panoptic PNG, *colours* (H, W, 3); id 0 means that nobody
    labelled the pixel: 255. Raises SourceError.
    """
    ids = colours.astype(np.int32) @ np.array([1, 256, 65_536], np.int32)
    segments = _segments(marks, meanings, background, policy, path)
    known = np.array(sorted(segments), np.int32)
    at = np.minimum(np.searchsorted(known, ids), len(known) - 1)
    if (unknown := known[at] != ids).any():
        first = int(ids[unknown][0])
        reason = (
            f"has {int(unknown.sum())} pixels of segments that segments_info does not list, the"
            f" first of id {first}"
        )
        raise SourceError(path, reason, "export JSON and PNG together again", "unknown-value")
    counts = np.bincount(at.reshape(-1), minlength=len(known))
    notes += [
        Note("hidden-shape", f"{segments[int(one)][1]} has no pixel in the PNG")
        for one, count in zip(known, counts, strict=True)
        if not count and one
    ]  # fmt: skip
    values = np.array([segments[int(one)][0] for one in known])
    mask = values.astype(np.uint8)[at]
    if not policy.objects:
        return mask, None
    things = np.array([segments[int(one)][2] for one in known]) & (counts > 0)
    numbers = np.where(values == IGNORE, OBJECT_IGNORE, np.where(things, np.cumsum(things), 0))
    return mask, numbers.astype(np.uint16)[at]


def _segments(
    marks: Marks, meanings: Mapping[Id, Meaning], background: int, policy: Policy, path: Path
) -> dict[int, tuple[int, str, bool]]:
    """Segment id -> its pixel value, its address, whether it is an instance."""
    result: dict[int, tuple[int, str, bool]] = {0: (IGNORE, "no segment", False)}
    for address, annotation in marks.annotations(path):
        listed = annotation.get("segments_info")
        if not isinstance(listed, list):
            raise SourceError(path, f"{address}.segments_info: a list was expected")
        for number, raw in enumerate(listed):
            where = f"{address}.segments_info[{number}]"
            if (
                not isinstance(raw, dict)
                or type(raw.get("id")) is not int
                or not 0 < raw["id"] < 1 << 24
            ):
                raise SourceError(path, f"{where}.id: a number from 1 to 16777215 was expected")
            if raw["id"] in result:
                raise SourceError(path, f"{where}.id: {raw['id']} is the id of another segment too")
            meaning, crowd = _meaning(path, where, raw, meanings), _is_crowd(path, where, raw)
            value = background if meaning.value == LEFT_OUT or (crowd and policy.crowd == "skip") else IGNORE if crowd and policy.crowd == "ignore" else meaning.value  # fmt: skip
            result[raw["id"]] = (
                value,
                f"{where} ({meaning.label})",
                meaning.thing and not crowd and value not in (background, IGNORE),
            )
    return result
