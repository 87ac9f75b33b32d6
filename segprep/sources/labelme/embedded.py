"""The copy of its image that an annotation holds (imageData), and the view that was drawn on."""

import base64
import binascii
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from segprep.errors import SourceError
from segprep.files import digest
from segprep.imaging import image
from segprep.sources.labelme.search import Search
from segprep.types import Note


@dataclass(frozen=True, slots=True)
class View:
    """The bytes of an image, whether shapes were drawn on its *upright* picture, and the *size* (H,
    W) of the view they were drawn on.
    """

    data: bytes
    upright: bool
    size: tuple[int, int]


def copy_of(search: Search, *, needed: bool) -> tuple[View | None, list[Note]]:
    """The embedded copy, unless there is none, another source of the image was asked for, or it is
    stale: of another size than the annotation records, or too small for its points; and notes.

    Raises SourceError for a bad copy, if it is *needed*.
    """
    if not search.embedded or search.image_from in ("path", "name"):
        return None, []
    try:
        view, notes = view_of(
            search, search.path, decoded(search.path, search.embedded), "imageData: "
        )
    except SourceError as error:
        if needed:
            raise
        return None, [_unused(error.reason)]
    stale = search.recorded is None and any(
        need > there + 1 for need, there in zip(search.reach(), view.size, strict=True)
    )
    if stale and not needed:
        return None, [_unused("it is too small for the points")]
    return view, notes


def _unused(reason: str) -> Note:
    reason = reason.removeprefix("imageData: ")
    return Note("image-disagrees", f"the embedded copy (imageData) was not used: {reason}")


def decoded(path: Path, embedded: bytes, address: str = "imageData") -> bytes:
    """The bytes behind base64 text, which may be broken into lines and begin as a data: URL, but
    holds nothing else. Raises SourceError.
    """
    if embedded[:5].lower() == b"data:":
        embedded = embedded.partition(b",")[2]
    for text in (embedded.strip(), b"".join(embedded.split())):
        try:
            return base64.b64decode(text, validate=True) or b"\0"
        except (binascii.Error, ValueError) as error:
            reason = f"{address}: is not base64: {error}"
    raise SourceError(path, reason, "give the image file, or annotate again", "bad-image-data")


def beginning(embedded: bytes, length: int) -> bytes:
    """The first *length* bytes or so behind base64 text; b"" if it is not plain base64."""
    try:
        return base64.b64decode(embedded[: length // 3 * 4], validate=True)
    except (binascii.Error, ValueError):
        return b""


def view_of(search: Search, path: Path, data: bytes, address: str = "") -> tuple[View, list[Note]]:
    """labelme has shown pictures upright since version 3; older files, and other tools, may have
    drawn on the stored rows.
    """
    try:
        head = image.header(data, path, search.limit)
    except SourceError as error:
        raise SourceError(path, address + error.reason, error.hint, error.code) from error
    upright, stored = head.shape(upright=True), head.shape(upright=False)
    if search.recorded is not None and search.recorded not in (upright, stored):
        raise _other_size(search.recorded, upright, path, address)
    notes = []
    if head.orientation > 1 and (search.recorded is None or upright == stored):
        reason = (
            f"EXIF orientation {head.orientation}: assumed annotated after EXIF rotation; please"
            " check"
        )
        notes.append(Note("orientation-unclear", reason))
    drawn_upright = search.recorded in (None, upright)
    return View(data, drawn_upright, upright if drawn_upright else stored), notes


def _other_size(
    recorded: tuple[int, int], size: tuple[int, int], path: Path, address: str
) -> SourceError:
    height, width = recorded
    reason = (
        f"{address}the image is {size[1]}x{size[0]}, the annotation was made on {width}x{height}"
    )
    hint = "restore the image that was annotated"
    if recorded == size[::-1]:
        reason += ": width and height are swapped"
        hint = "if only the numbers are swapped, delete imageHeight and imageWidth from the JSON"
    return SourceError(path, reason, hint, "size-mismatch")


def compared(search: Search, file: Path, data: bytes, copy: bytes) -> list[Note]:
    """A note if the image file and the embedded copy differ by more than re-encoding does."""
    if digest(data) == digest(copy):
        return []
    first = image.pixels(data, file, limit=search.limit)
    second = image.pixels(copy, search.path, limit=search.limit)
    if first.shape != second.shape:
        return []
    mean = float(np.abs(first.astype(np.int16) - second).mean())
    spread = float(first.std() + second.std()) / 2
    if mean <= 1 + 0.1 * spread:
        return []
    reason = f"{file.name} and the embedded copy differ by {mean:.1f} gray levels on average"
    return [Note("image-disagrees", reason)]
