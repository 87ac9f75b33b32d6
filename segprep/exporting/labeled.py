"""One sample as a target is given it. A mask whose bytes are those of its record is not decoded
before a target asks for its pixels: what values it holds, its record says.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from segprep.dataset import samples
from segprep.exporting.stored import StoredFile, stored_files
from segprep.imaging import paired_masks
from segprep.types import IGNORE, Classes, Entry, Note
from segprep.writer import LabeledImage

if TYPE_CHECKING:
    from segprep.types import Mask, Objects


def labeled(
    entry: Entry,
    roots: tuple[Path, ...],
    classes: Classes | None,
    *,
    limit: int,
    gray_bits: int,
    files: tuple[StoredFile, StoredFile] | None = None,
) -> tuple[LabeledImage, tuple[Note, ...]]:
    """The sample of *entry*, upright, and what a person should know. *roots* are where its files
    may lie, *limit* the most pixels of an image; *files*: its image and its mask, if they were
    looked at already.

    Raises SourceError, also for unknown class ids (unknown-value).
    """
    picture, drawing = files or stored_files(entry, roots)
    notes: list[Note] = []
    shape: tuple[int, ...] | None = None
    if _is_recorded(entry, drawing, classes):
        shape = drawing.plain_shape(limit)
    is_recorded, mask = shape is not None, None
    if shape is None:
        mask = samples.mask_ids(drawing.content(), entry.mask, notes, limit)
        shape = mask.shape
    head = picture.header(limit)
    upright = paired_masks.drawn_on(head, entry.image, shape, entry.mask, notes)

    @cache
    def pixels() -> "tuple[Mask, Objects | None]":
        ids = mask
        if ids is None:
            ids = samples.mask_ids(drawing.content(), entry.mask, [], limit)
        drawn = samples.objects(entry.objects, roots, ids.shape, limit) if entry.objects else None
        return (ids, drawn) if upright else samples.turned(ids, drawn, head.orientation)

    if mask is not None and classes:
        samples.check_ids(pixels()[0], classes, entry.mask)
    sample = LabeledImage(
        entry,
        head,
        picture.content,
        drawing.content,
        is_recorded,
        upright,
        classes,
        roots,
        pixels,
        gray_bits,
    )
    return sample, tuple(notes)


def _is_recorded(entry: Entry, drawing: StoredFile, classes: Classes | None) -> bool:
    """Whether *drawing* is the mask that the record of *entry* describes, and all its values are
    ids of *classes* or 255.
    """
    return (
        entry.content is not None
        and drawing.digest() == entry.content.mask
        and all(
            value == IGNORE or classes is None or value < len(classes.names)
            for value in entry.content.values
        )
    )
