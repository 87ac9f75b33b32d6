"""Masks of the part of a photograph that a round camera sees: nothing outside of it counts."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np

from segprep.errors import SourceError, UsageError
from segprep.files import read_below
from segprep.sources._common import matching, retina
from segprep.sources._common.name_rules import Folders
from segprep.types import IGNORE, Item, Sample, Skipped

View = Annotated[
    str,
    "Folder below SRC of masks that are white inside the field of view of a camera; what lies"
    " outside is ignored (255).",
]


def with_views(
    root: Path, name: str, items: Sequence[Item]
) -> tuple[tuple[Item, ...], tuple[Skipped, ...]]:
    """*items* with the mask of their field of view in the folder *name* as a second label file; a
    Skipped for each that has none. Raises UsageError.
    """
    folder = root / name
    if not folder.is_dir() or not folder.resolve().is_relative_to(root):
        reason = f"--view {name} is not a folder below SRC"
        raise UsageError("bad-option", reason, "give its name as it is below SRC")
    homes = sorted({item.image.parent for item in items if item.image})
    views = {
        item.image: item.labels[0]
        for home in homes
        for item in matching.match(root, [Folders(home, folder)], stem="path").items
    }
    complete = tuple(
        replace(item, labels=(item.labels[0], views[item.image]))
        for item in items
        if item.image in views
    )
    reason = f"no field of view in {name} belongs to this image"
    hint = "add it, or skip the image with --on-error skip"
    skipped = tuple(
        Skipped(item.stem, str(item.image), "mask-missing", reason, hint)
        for item in items
        if item.image not in views
    )
    return complete, skipped


def applied(sample: Sample, path: Path, roots: tuple[Path, ...], limit: int) -> Sample:
    """*sample* with 255 outside the field of view at *path*. Raises SourceError."""
    notes = list(sample.notes)
    inside = retina.drawn(read_below(path, roots), path, notes, limit)
    height, width = sample.mask.shape
    if inside.shape != sample.mask.shape:
        reason = f"is {inside.shape[1]}x{inside.shape[0]} pixels, its mask {width}x{height}"
        raise SourceError(path, reason, "restore both from their origin", "size-mismatch")
    if not inside.any():
        reason = "is black all over: no pixel lies in the field of view"
        raise SourceError(path, reason, "restore it from its origin", "view-empty")
    mask = np.where(inside == 1, sample.mask, np.uint8(IGNORE))
    return replace(sample, mask=mask, notes=tuple(notes), pixels=None)
