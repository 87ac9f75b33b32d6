"""Panoptic PNGs: segment ids as colors, looked up in segments_info."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segprep.errors import ShapeError, SourceError, UnknownClassError
from segprep.sources._common.classes.labels import LabelTable
from segprep.sources.coco.coco_file import Id
from segprep.sources.coco.marks import Crowd, Marks, Naming, is_crowd, naming
from segprep.types import IGNORE, OBJECT_IGNORE, Note, Outcome, Unpainted


@dataclass(frozen=True, slots=True, eq=False)
class Panoptic:
    """The class *mask* (H, W) and the instance mask of a panoptic PNG, if asked for, with *notes*
    and what options kept from being painted as its class.
    """

    mask: NDArray[np.uint8]
    objects: "NDArray[np.uint16] | None"
    notes: list[Note] = field(default_factory=list)
    unpainted: tuple[Unpainted, ...] = ()


def panoptic(
    marks: Marks,
    categories: Mapping[Id, Naming],
    colors: NDArray[np.uint8],
    table: LabelTable,
    *,
    crowd: Crowd,
    objects: bool,
    path: Path,
) -> Panoptic:
    """The masks of a panoptic PNG, *colors* (H, W, 3); id 0 means that nobody labeled the pixel:
    255. Raises SourceError.
    """
    ids = colors.astype(np.int32) @ np.array([1, 256, 65_536], np.int32)
    segments = _segments(marks, categories, table, crowd, path)
    keys = np.array(sorted(segments), np.int32)
    position = np.minimum(np.searchsorted(keys, ids), len(keys) - 1)
    if (unknown := keys[position] != ids).any():
        reason = (
            f"has {int(unknown.sum())} pixels of segments that segments_info does not list, the"
            f" first of id {int(ids[unknown][0])}"
        )
        raise SourceError(path, reason, "export JSON and PNG together again", "unknown-value")
    counts = np.bincount(position.reshape(-1), minlength=len(keys))
    listed = [segments[int(key)] for key in keys]
    notes = [
        Note("hidden-shape", f"{segment.address} has no pixel in the PNG")
        for segment, count in zip(listed[1:], counts[1:], strict=True)
        if not count
    ]
    values = np.array([segment.value for segment in listed])
    mask = values.astype(np.uint8)[position]
    unpainted = _unpainted(listed, counts)
    if not objects:
        return Panoptic(mask, None, notes, unpainted)
    things = np.array([segment.thing for segment in listed]) & (counts > 0)
    numbers = np.where(values == IGNORE, OBJECT_IGNORE, np.where(things, np.cumsum(things), 0))
    return Panoptic(mask, numbers.astype(np.uint16)[position], notes, unpainted)


@dataclass(frozen=True, slots=True)
class Segment:
    """What the pixels of a panoptic segment become: *value*; *thing*: an instance of its own;
    *label* and what an option made of it (*outcome*).
    """

    value: int
    address: str
    thing: bool
    label: str = ""
    outcome: Outcome | None = None


def _unpainted(segments: list[Segment], counts: NDArray[np.int64]) -> tuple[Unpainted, ...]:
    """Segments and pixels per label that ``--exclude`` or ``--unknown`` applied to."""
    numbers, pixels = Counter[tuple[str, Outcome]](), Counter[tuple[str, Outcome]]()
    for segment, count in zip(segments, counts, strict=True):
        if segment.outcome:
            numbers[segment.label, segment.outcome] += 1
            pixels[segment.label, segment.outcome] += int(count)
    return tuple(Unpainted(key[0], numbers[key], pixels[key], key[1]) for key in sorted(numbers))


def _segments(
    marks: Marks, categories: Mapping[Id, Naming], table: LabelTable, crowd: Crowd, path: Path
) -> dict[int, Segment]:
    """The segments by their id; 0 is what nobody labeled."""
    segments, background = {0: Segment(IGNORE, "no segment", False)}, table.classes.background or 0
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
            category, many = naming(path, where, raw, categories), is_crowd(path, where, raw)
            try:
                meaning = table.meaning(category.name, where)
            except ShapeError as error:
                raise UnknownClassError(path, error.message, error.hint) from error
            value, outcome = meaning.value, meaning.outcome
            if not meaning.is_skipped and many and crowd != "class":
                value, outcome = (IGNORE if crowd == "ignore" else background), None
            thing = category.thing and not many and value not in (background, IGNORE)
            address_of = f"{where} ({meaning.label})"
            segments[key] = Segment(value, address_of, thing, meaning.label, outcome)
    return segments
