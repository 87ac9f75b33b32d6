"""A mask file on its image: the same size, on the upright or the stored view of it."""

from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from segprep.errors import SourceError
from segprep.files import read_below
from segprep.imaging import image, phantom
from segprep.types import MAX_PIXELS, Item, Note, Sample

Counted = tuple[NDArray[np.uint8], dict[int, int]]  # a mask (H, W) and its histogram


def sample(
    item: Item,
    roots: tuple[Path, ...],
    to_mask: Callable[[bytes, Path, list[Note]], NDArray[np.uint8] | Counted],
    limit: int = MAX_PIXELS,
    *,
    background: int = 0,
) -> Sample:
    """The sample of an image file and one mask file (``labels[0]``), which *to_mask* turns into
    class ids, with their histogram where it knows it; where that is the image itself there is no
    mask, and all pixels are *background*. Raises SourceError.
    """
    notes: list[Note] = []
    path, picture = item.labels[0], cast("Path", item.image)
    if path == picture:
        data = read_below(picture, roots)
        shape = image.header(data, picture, limit).shape(upright=True)
        return Sample(item.stem, data, np.full(shape, background, np.uint8))
    result = to_mask(read_below(path, roots), path, notes)
    mask, counts = result if isinstance(result, tuple) else (result, image.histogram(result))
    notes += phantom.notes(mask, counts, path)
    data = read_below(picture, roots)
    upright = drawn_upright(data, picture, mask.shape, path, notes, limit)
    return Sample(item.stem, data, mask, None, upright, tuple(notes), counts)


def drawn_upright(
    data: bytes,
    picture: Path,
    shape: tuple[int, ...],
    path: Path,
    notes: list[Note],
    limit: int = MAX_PIXELS,
) -> bool:
    """Which view of the image *data* a mask of *shape* (H, W) was drawn on.

    Raises SourceError (size-mismatch) if it fits neither.
    """
    return drawn_on(image.header(data, picture, limit), picture, shape, path, notes)


def drawn_on(
    head: image.Header, picture: Path, shape: tuple[int, ...], path: Path, notes: list[Note]
) -> bool:
    """What :func:`drawn_upright` gives for the image *picture* whose header is *head*."""
    upright, stored = head.shape(upright=True), head.shape(upright=False)
    if shape not in (upright, stored):
        reason = (
            f"the mask is {shape[1]}x{shape[0]}, its image {picture.name} {upright[1]}x{upright[0]}"
            " pixels"
        )
        raise SourceError(
            path,
            reason,
            "pair each mask with its own image; a mask is never resized here",
            "size-mismatch",
        )
    if head.orientation > 1 and upright == stored:
        notes.append(
            Note(
                "orientation-unclear",
                f"EXIF orientation {head.orientation}: assumed annotated on the upright image; look"
                " at this one",
            )
        )
    return shape == upright
