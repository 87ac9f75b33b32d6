"""One sample of a tree as rows from top to bottom: image, mask and objects side by side.

PNG and TIFF are read in bands, so that memory is bounded by the rows that are asked for. Other
images (JPEG files), and files that are turned by EXIF, interlaced or of another kind, are decoded
whole.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segprep.conversion import tree_source
from segprep.dataset import samples
from segprep.errors import SourceError
from segprep.files import mark_below, open_inside
from segprep.imaging import png_rows, resizing, sixteen_bits, tiff_rows
from segprep.imaging.image import header, upright_array
from segprep.types import IGNORE, OBJECT_IGNORE, Classes, Entry, Note

Bands = Callable[[], Iterator[NDArray[Any]]]


@dataclass
class Window:
    """The rows of a picture that were asked for last; for earlier ones it is read again."""

    bands: Bands
    _first: int = 0
    _parts: list[NDArray[Any]] = field(default_factory=list)
    _rest: Iterator[NDArray[Any]] | None = None

    def rows(self, top: int, bottom: int) -> NDArray[Any]:
        """Rows *top* to *bottom*. Raises SourceError."""
        if self._rest is None or top < self._first:
            self._rest, self._first, self._parts = self.bands(), 0, []
        self._forget(top)
        while (end := self._first + sum(map(len, self._parts))) < bottom:
            band = next(self._rest)
            if end + len(band) <= top:
                self._first, self._parts = end + len(band), []
            else:
                self._parts.append(band)
        self._forget(top)
        parts = self._parts
        if len(parts) > 1:
            self._parts = parts = [np.concatenate(parts)]
        return parts[0][top - self._first : bottom - self._first]

    def _forget(self, top: int) -> None:
        """Give up the rows above *top*; a view would keep them."""
        while self._parts and self._first < top:
            part = self._parts[0]
            above = min(top - self._first, len(part))
            self._parts[:1] = [part[above:].copy()] if above < len(part) else []
            self._first += above


@dataclass
class TiledPicture:
    """A sample of *shape* (H, W): windows of its image, its mask (class ids, checked) and, where
    there are any, its objects.
    """

    shape: tuple[int, int]
    image: Window
    mask: Window
    objects: Window | None
    notes: tuple[Note, ...] = ()

    def cut(self, top: int, left: int, size: int) -> tuple[Any, Any, Any]:
        """(Image, mask, objects or None) of the square at (*top*, *left*): black beyond the
        picture's edge, ignored in the mask. Raises SourceError.
        """
        bottom = min(top + size, self.shape[0])
        windows = ((self.image, 0), (self.mask, IGNORE), (self.objects, OBJECT_IGNORE))
        image, mask, objects = (
            None if window is None else resizing.cut(window.rows(top, bottom), 0, left, size, fill)
            for window, fill in windows
        )
        return image, mask, objects


_latest: list[Any] = []  # (what it is of, the picture): the tiles of one picture come in turn


def opened(entry: Entry, roots: tuple[Path, ...], classes: Classes, limit: int) -> TiledPicture:
    """The sample of *entry*; the last one that was asked for is kept. Raises SourceError.

    Its files count as read for whoever watches.
    """
    paths = [path for path in (entry.image, entry.mask, entry.objects) if path]
    key = (entry, limit, *(mark_below(path, roots) for path in paths))
    if not _latest or _latest[0] != key:
        _latest.clear()
        _latest[:] = (
            key,
            _in_bands(entry, roots, classes, limit) or _whole(entry, roots, classes, limit),
        )
    picture: TiledPicture = _latest[1]
    return picture


def _in_bands(
    entry: Entry, roots: tuple[Path, ...], classes: Classes, limit: int
) -> TiledPicture | None:
    """The sample if all of its files can be read in bands."""
    image, mask = _rows(entry.image, roots), _rows(entry.mask, roots)
    objects = _rows(entry.objects, roots) if entry.objects else None
    if image is None or not isinstance(mask, png_rows.PngRows) or not mask.holds_labels:
        return None
    if entry.objects and not (isinstance(objects, png_rows.PngRows) and objects.kind in (0, 3)):
        return None
    shape = (image.height, image.width)
    for path, rows in ((entry.mask, mask), (entry.objects, objects)):
        if path and rows and (rows.height, rows.width) != shape:
            raise SourceError(
                path,
                f"is {rows.width}x{rows.height}, its image {shape[1]}x{shape[0]} pixels",
                "pair each mask with its own image",
                "size-mismatch",
            )
    if shape[0] * shape[1] > limit:
        raise SourceError(
            entry.image,
            f"{shape[1]}x{shape[0]} pixels; {limit} are allowed",
            "raise --max-pixels if the image is genuine",
            "image-too-large",
        )

    def checked() -> Iterator[NDArray[Any]]:
        for band in mask.bands(labels=True):
            samples.check_ids(band, classes, entry.mask)
            yield band

    return TiledPicture(
        shape, Window(image.bands), Window(checked), Window(_ids(objects)) if objects else None
    )


def _ids(objects: Any) -> Bands:
    def bands() -> Iterator[NDArray[np.uint16]]:
        for band in objects.bands(labels=True):
            ids = band.astype(np.uint16)
            if band.dtype == np.uint8:
                ids[band == IGNORE] = OBJECT_IGNORE
            yield ids

    return bands


def _rows(path: Path, roots: tuple[Path, ...]) -> png_rows.PngRows | tiff_rows.TiffRows | None:
    with open_inside(roots[0], os.path.relpath(path, roots[0])) as file:
        return png_rows.opened(file, path) or tiff_rows.opened(file, path)


def _whole(entry: Entry, roots: tuple[Path, ...], classes: Classes, limit: int) -> TiledPicture:
    sample, _ = tree_source.upright(entry, roots, classes, limit)
    pixels = _deep(sample.image, entry.image, limit)
    if pixels is None:
        pixels = resizing.decoded(sample.image, entry.image, limit)
    mask, objects = sample.mask, sample.objects
    return TiledPicture(
        (mask.shape[0], mask.shape[1]),
        Window(lambda: iter([pixels])),
        Window(lambda: iter([mask])),
        None if objects is None else Window(lambda: iter([objects])),
        sample.notes,
    )


def _deep(data: bytes, path: Path, limit: int) -> NDArray[Any] | None:
    """The upright picture (H, W, 3 or 4) of 16 bits, which Pillow would cut to 8; else None.

    Raises SourceError.
    """
    pixels = sixteen_bits.read(data, path, limit)
    if pixels is None or pixels.dtype != np.uint16 or pixels.shape[2] not in (3, 4):
        return None
    return upright_array(pixels, header(data, path, limit).orientation)
