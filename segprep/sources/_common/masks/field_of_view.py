"""Masks of the part of a photograph that a round camera sees: nothing outside of it counts."""

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np

from segprep.errors import SourceError, UsageError
from segprep.files import read_below
from segprep.imaging import mask_files
from segprep.sources._common.masks import retina
from segprep.sources._common.pairing import matching, rival_folders
from segprep.sources._common.pairing.name_rules import Folders
from segprep.types import IGNORE, Item, Note, Sample, Skipped

_MOST_READ = 20  # masks whose pixels are compared with their view
_PLAIN = 0.95  # the least share of what lies outside a view that a mask leaves plain

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


def unstated(
    root: Path, folders: Sequence[Folders], items: Sequence[Item], limit: int
) -> tuple[tuple[Item, ...], list[Note]]:
    """*items* with the fields of view that lie beside the masks of *folders* under that name, and a
    note that says so; as they are where there are none.

    Raises UsageError, which names the folders, where an image lacks one or a mask does not end
    with it.
    """
    views, notes = dict[Path | None, Path](), list[Note]()
    for pair in folders:
        if pair.view:
            matched = matching.match(root, [Folders(pair.images, pair.view)], stem="path").items
            own = {item.image: item.labels[0] for item in matched}
            inside = [item for item in items if _below(item, pair)]
            some = inside[:: max(1, len(inside) // _MOST_READ)]
            if not all(item.image in own for item in inside) or not all(
                _ends_with(item.labels[0], own[item.image], root, limit) for item in some
            ):
                raise rival_folders.error(root, pair.images, [pair.masks, pair.view])
            views |= own
            name = pair.view.relative_to(root).as_posix()
            message = (
                f"{name}/ is taken as the field of view of the camera: what lies outside is"
                f" ignored (255); --exclude-folder {shlex.quote(name)} skips it"
            )
            notes.append(Note("folders-chosen", message))
    complete = tuple(
        replace(item, labels=(item.labels[0], views[item.image])) if item.image in views else item
        for item in items
    )
    return complete, notes


def _below(item: Item, pair: Folders) -> bool:
    return item.image is not None and item.image.is_relative_to(pair.images)


def _ends_with(mask: Path, view: Path, root: Path, limit: int) -> bool:
    """Whether *mask* is of one brightness outside of *view*, as nothing is drawn there. A file that
    cannot be read is told when it is converted.
    """
    try:
        inside = retina.drawn(read_below(view, (root,)), view, [], limit)
        seen = mask_files.intensity(read_below(mask, (root,)), mask, limit)
    except SourceError:
        return True
    if inside.shape != seen.shape or inside.all():
        return True
    counts = np.bincount(seen[inside == 0], minlength=1)
    return bool(inside.any() and counts.max() >= _PLAIN * counts.sum())


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
