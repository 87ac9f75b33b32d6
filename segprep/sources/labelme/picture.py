"""The image that an annotation file belongs to: found on disk or embedded in the file, and the view
of it that was drawn on.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Any

import numpy as np

from segprep.dataset.samples import pick
from segprep.errors import SourceError
from segprep.files import digest, find_below, read_below
from segprep.imaging import image
from segprep.names import shown, stem_key, stem_of
from segprep.sources._common.named_paths import escapes, inside, meant
from segprep.types import Note


@dataclass(frozen=True, slots=True)
class Search:
    """Where to look for the image of the annotation *path*.

    *named* is the path it names, *embedded* its base64 copy, *recorded* the (H, W) it was made on;
    *near* are the images of its name beside it, *below* those below further roots. With *compare*,
    file and copy are compared.
    """

    path: Path
    named: str
    embedded: bytes | None
    recorded: tuple[int, int] | None
    near: Sequence[Path]
    below: Sequence[Path]
    roots: tuple[Path, ...]
    compare: bool
    limit: int


@dataclass(frozen=True, slots=True)
class View:
    """The bytes of an image, whether shapes were drawn on its *upright* picture, and the *size* (H,
    W) of the view they were drawn on.
    """

    data: bytes
    upright: bool
    size: tuple[int, int]


def view_of(search: Search, notes: list[Note]) -> View:
    """The image and the view that was annotated; what a person should know goes to *notes*.

    A file comes before the embedded copy, unless it cannot be the one that was annotated. Raises
    SourceError.
    """
    path = search.path
    near = pick(search.near, "several images beside the annotation have its name")
    found = locate(
        search.named,
        path.parent,
        near,
        search.roots,
        {stem_key(stem_of(path.name)): search.below},
        stem_of(path.name),
    )
    reason = ""
    if found:
        file, how = found
        data = read_below(file, search.roots)
        try:
            view = _view(search, file, data, notes)
        except SourceError as error:
            if (
                error.code not in ("size-mismatch", "image-damaged", "image-unsupported")
                or not search.embedded
            ):
                raise
            reason = f" because {file.name} {error.reason}"
        else:
            if how:
                notes.append(
                    Note(
                        "image-found-elsewhere",
                        f"imagePath {shown(search.named)} is not there; {file.name} was found"
                        f" {how}",
                    )
                )
            if search.compare and search.embedded:
                _compare(search, file, data, notes)
            return view
    if not search.embedded:
        tried = (
            f"imagePath {shown(search.named)!r} is not in the source folder, no image has the"
            " annotation's name, imageData is empty"
        )
        if escapes(search.named, path.parent, search.roots):
            reason = (
                f"imagePath: {shown(search.named)!r} lies outside the source folder and is not"
                " opened; no image has the annotation's name, imageData is empty"
            )
            raise SourceError(
                path, reason, "name the images' folder with --image-root", "path-outside-root"
            )
        raise SourceError(
            path, f"no image: {tried}", "name the images' folder with --image-root", "image-missing"
        )
    view = _view(search, path, decoded(path, search.embedded), notes, "imageData: ")
    notes.append(Note("image-embedded", f"the embedded copy (imageData) was used{reason}"))
    return view


def recorded_size(path: Path, content: Mapping[str, Any]) -> tuple[int, int] | None:
    """imageHeight and imageWidth, if both are given. Raises SourceError."""
    height, width = content.get("imageHeight"), content.get("imageWidth")
    if height is None or width is None:
        return None
    if not all(type(value) in (int, float) and value > 0 for value in (height, width)):
        raise SourceError(
            path,
            "imageHeight, imageWidth: positive numbers were expected, not"
            f" {shown((height, width))}",
        )
    return height, width


def decoded(path: Path, embedded: bytes, where: str = "imageData") -> bytes:
    """The bytes behind base64 text, which may be broken into lines but holds nothing else.

    Raises SourceError.
    """
    for text in (embedded.strip(), b"".join(embedded.split())):
        try:
            return base64.b64decode(text, validate=True) or b"\0"
        except (binascii.Error, ValueError) as error:
            reason = error
    raise SourceError(
        path,
        f"{where}: is not base64: {reason}",
        "give the image file, or annotate again",
        "bad-image-data",
    )


def _view(search: Search, path: Path, data: bytes, notes: list[Note], where: str = "") -> View:
    """labelme has shown pictures upright since version 3; older files, and other tools, may have
    drawn on the stored rows.
    """
    try:
        head = image.header(data, path, search.limit)
    except SourceError as error:
        raise SourceError(path, where + error.reason, error.hint, error.code) from error
    upright, stored = head.shape(upright=True), head.shape(upright=False)
    if search.recorded is not None and search.recorded not in (upright, stored):
        height, width = search.recorded
        reason = (
            f"{where}the image is {upright[1]}x{upright[0]}, the annotation was made on"
            f" {width}x{height}"
        )
        raise SourceError(path, reason, "restore the image that was annotated", "size-mismatch")
    if head.orientation > 1 and (search.recorded is None or upright == stored):
        notes.append(
            Note(
                "orientation-unclear",
                f"EXIF orientation {head.orientation}: taken as annotated on the upright picture;"
                " look at this one",
            )
        )
    drawn_upright = search.recorded in (None, upright)
    return View(data, drawn_upright, upright if drawn_upright else stored)


def _compare(search: Search, file: Path, data: bytes, notes: list[Note]) -> None:
    """Note it if the image file and the embedded copy differ by more than re-encoding does."""
    copy = decoded(search.path, search.embedded or b"")
    if digest(data) == digest(copy):
        return
    first, second = (
        image.pixels(data, file, limit=search.limit),
        image.pixels(copy, search.path, limit=search.limit),
    )
    if first.shape != second.shape:
        notes.append(
            Note(
                "image-disagrees",
                f"{file.name} is {first.shape[1]}x{first.shape[0]}, the embedded copy"
                f" {second.shape[1]}x{second.shape[0]}",
            )
        )
        return
    difference = float(np.abs(first.astype(np.int16) - second).mean())
    spread = float(first.std() + second.std()) / 2
    if difference > 1 + 0.1 * spread:
        notes.append(
            Note(
                "image-disagrees",
                f"{file.name} and the embedded copy differ by {difference:.1f} grey levels on"
                " average",
            )
        )


def locate(
    named: str,
    beside: Path,
    near: Path | None,
    roots: Sequence[Path],
    by_root: Mapping[str, Sequence[Path]],
    stem: str,
) -> tuple[Path, str] | None:
    """The image file of an annotation and how it was found ("" where it is named), or None.

    Tried in turn: the path *named* (either kind of slash, drive letters dropped) from the
    annotation's folder *beside*; its file name there; *near*, the image of the same stem; then
    below each further root the named path, its file name, and *by_root*, the images of that stem.
    Only paths below *roots* are ever looked at.
    """
    pure = PureWindowsPath(named)
    tail = [part for part in pure.parts if part not in (pure.anchor, "..", ".")]
    if tail and "://" not in named and not tail[-1].lower().endswith(".json"):
        exact = meant(named, beside)
        if inside(exact, roots) and find_below(exact, tuple(roots)):
            return exact, ""
        if find_below(beside / tail[-1], tuple(roots)):
            return beside / tail[-1], "by its file name beside the annotation"
    if near is not None and find_below(near, tuple(roots)):
        return near, "by the annotation's own name"
    for root in roots[1:]:
        for part in range(len(tail)):
            if find_below(root.joinpath(*tail[part:]), tuple(roots)):
                return root.joinpath(*tail[part:]), "below --image-root"
    found = pick(
        by_root.get(stem_key(stem), ()), f"several images below --image-root are called {stem}"
    )
    return (found, "below --image-root, by the annotation's own name") if found else None
