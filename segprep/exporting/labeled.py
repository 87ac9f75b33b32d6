"""One sample as a target is given it. A mask whose bytes are those of its record is not decoded
before a target asks for its pixels: what values it holds, its record says.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from segprep.dataset import samples
from segprep.files import digest, read_below
from segprep.imaging import paired_masks, png
from segprep.types import IGNORE, Classes, Entry, Note, Sample
from segprep.writer import LabeledImage

if TYPE_CHECKING:
    from segprep.types import Mask, Objects


def labeled(
    entry: Entry, roots: tuple[Path, ...], classes: Classes | None, *, limit: int, gray_bits: int
) -> tuple[LabeledImage, tuple[Note, ...]]:
    """The sample of *entry*, upright, and what a person should know. *roots* are where its files
    may lie, *limit* the most pixels of an image.

    Raises SourceError, also for unknown class ids (unknown-value).
    """
    notes: list[Note] = []
    data = read_below(entry.mask, roots)
    shape: tuple[int, ...] | None = None
    if _is_recorded(entry, data, classes):
        shape = png.plain_shape(data, limit)
    is_recorded, mask = shape is not None, None
    if shape is None:
        mask = samples.mask_ids(data, entry.mask, notes, limit)
        shape = mask.shape
    picture = read_below(entry.image, roots)
    upright = paired_masks.drawn_upright(picture, entry.image, shape, entry.mask, notes, limit)

    @cache
    def pixels() -> "tuple[Mask, Objects | None]":
        ids = samples.mask_ids(data, entry.mask, [], limit) if mask is None else mask
        drawn = samples.objects(entry.objects, roots, ids.shape, limit) if entry.objects else None
        sample = Sample(entry.stem, picture, ids, drawn, upright)
        return samples.upright(sample, entry.image, limit)

    if mask is not None and classes:
        samples.check_ids(pixels()[0], classes, entry.mask)
    return (
        LabeledImage(entry, picture, data, is_recorded, upright, classes, roots, pixels, gray_bits),
        tuple(notes),
    )


def _is_recorded(entry: Entry, data: bytes, classes: Classes | None) -> bool:
    """Whether *data* is the mask that the record of *entry* describes, and all its values are ids
    of *classes* or 255.
    """
    return (
        entry.content is not None
        and digest(data) == entry.content.digest
        and all(
            value == IGNORE or classes is None or value < len(classes.names)
            for value in entry.content.values
        )
    )
