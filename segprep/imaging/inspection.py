"""Image and mask files as they are stored: for judging files, not for converting them."""

from collections.abc import Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segprep.imaging import damage, headers, image, jpeg, png
from segprep.imaging.headers import Header
from segprep.types import MAX_PIXELS

FLAT = 24  # levels: pictures in short that vary less are looked at in full
_SHOWN = ("L", "RGB")
_PLAIN = (*_SHOWN, "LA", "P", "RGBA")  # modes of which the picture in short tells enough


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """A decoded file: its *header*, *samples* (H, W) or (H, W, C) as stored (palette indices for
    mode P), and the *palette* as RGB bytes, or empty.
    """

    header: Header
    samples: NDArray[Any]
    palette: bytes = b""


@dataclass(frozen=True, slots=True, eq=False)
class Small:
    """A photograph in short: *colors* (side, side, 3) uint8 are the upright picture squeezed to a
    square, *sketch* the squeezed rows as stored; *stored* the samples of the full size, None where
    nobody asked for them and nothing in *colors* calls for a closer look. *span* is the range of
    *stored* where *colors* hardly vary, else that of *colors*.
    """

    header: Header
    span: tuple[float, float]
    colors: NDArray[np.uint8]
    sketch: bytes
    stored: NDArray[Any] | None


def mask(data: bytes, path: Path, limit: int = MAX_PIXELS) -> Stored:
    """A mask file as stored. Raises SourceError for damaged files and those of several frames."""
    if plain := png.mask(data, limit):
        pixels, palette = plain
        height, width = pixels.shape
        mode = "P" if palette else "L"
        return Stored(Header("PNG", width, height, mode, 1, False), pixels, palette)
    fast = png.decode(data, limit)
    with image.opened(data, path, limit) as picture:
        samples = fast if fast is not None else np.asarray(picture)
        palette = _palette(picture, decoded=fast is None) if picture.mode == "P" else b""
        header = headers.of_picture(picture, data)
    if header.several:
        raise damage.several_frames(path)
    return Stored(header, samples, palette)


def _palette(picture: Image.Image, *, decoded: bool) -> bytes:
    """The palette as RGB bytes. Pillow decodes the pixels for it, which the file's own chunk spares
    where the pixels are known.
    """
    own = picture.palette
    if not decoded and own is not None and own.mode == "RGB" and own.rawmode in (None, "RGB"):
        return bytes(own.palette)
    return bytes(picture.getpalette("RGB") or b"")


def photograph(
    data: bytes,
    path: Path,
    side: int,
    limit: int = MAX_PIXELS,
    *,
    whole: bool = False,
    full: Container[tuple[int, int]] | None = None,
) -> Small:
    """An image file decoded once, and in short; with its samples if *whole*. Unless its
    size (width, height) is one of *full*, a JPEG is decoded at the smallest scale (a half, a
    quarter, an eighth) that has *side* pixels each way, which takes half the time.

    Raises SourceError where it cannot be decoded.
    """
    with _decoded(data, path, side, limit, None if whole else full) as (picture, size, plain):
        stored = None if picture.mode in _PLAIN and not whole else np.asarray(picture)
        shown = _eight_bits(picture, stored)
        reduced = shown.resize((side, side), Image.Resampling.BOX, reducing_gap=1)
        sketch = reduced.tobytes()
        rgb = sketch if reduced.mode == "RGB" else reduced.convert("RGB").tobytes()
        colors = np.frombuffer(rgb, np.uint8).reshape(side, side, 3)
        low, high = float(colors.min()), float(colors.max())
        flat = high - low <= FLAT
        if stored is None and (flat or _is_mid_gray(colors[-1])):
            stored = np.asarray(picture) if picture.size == size else samples(data, path, limit)
        header = plain or headers.of_picture(picture, data, size)
    if header.orientation > 1:
        colors = image.upright_array(colors, header.orientation)
    if flat and stored is not None:
        low, high = float(stored.min()), float(stored.max())
    return Small(header, (low, high), colors, sketch, stored)


@contextmanager
def _decoded(
    data: bytes, path: Path, side: int, limit: int, full: Container[tuple[int, int]] | None
) -> Iterator[tuple[Image.Image, tuple[int, int], Header | None]]:
    """The decoded picture, the size (width, height) of the file's, and its header where that was
    read without Pillow. A JPEG whose size is not *full* is decoded at a smaller scale.
    """
    plain = headers.of_jpeg(data)
    size = (plain.width, plain.height) if plain else (0, 0)
    least = None if full is None or size in full else (side, side)
    if plain and (picture := jpeg.decoded(data, plain, limit, least)):
        yield picture, size, plain
        return
    with image.opened(data, path, limit) as picture:
        size = picture.size
        reducible = picture.format in ("JPEG", "MPO") and picture.mode in _SHOWN
        if reducible and full is not None and size not in full:
            picture.draft(None, (side, side))
        picture.load()
        yield picture, size, None


def _is_mid_gray(row: NDArray[np.uint8]) -> bool:
    """Whether a row is gray as decoders fill the rest of a JPEG that ends early."""
    if abs(int(row[0, 0]) - 128) > 2:
        return False
    return int(row.min()) >= 126 and int(row.max()) <= 130


def samples(data: bytes, path: Path, limit: int = MAX_PIXELS) -> NDArray[Any]:
    """The decoded samples of an image as stored. Raises SourceError."""
    with image.opened(data, path, limit) as picture:
        return np.asarray(picture)


def colors(data: bytes, path: Path, limit: int = MAX_PIXELS) -> NDArray[np.uint8]:
    """(H, W, 3): an image as stored, in red, green and blue of 8 bits. Raises SourceError."""
    with image.opened(data, path, limit) as picture:
        stored = None if picture.mode in _PLAIN else np.asarray(picture)
        return np.asarray(_eight_bits(picture, stored).convert("RGB"))


def _eight_bits(picture: Image.Image, stored: NDArray[Any] | None) -> Image.Image:
    """*picture* as gray or RGB of 8 bits; wider values, *stored*, are scaled by their own range."""
    if picture.mode in _SHOWN:
        return picture
    if stored is not None and (picture.mode == "F" or picture.mode.startswith("I")):
        values = np.nan_to_num(stored.astype(np.float64))
        low, high = float(values.min()), float(values.max())
        scaled = (values - low) * (255 / (high - low) if high > low else 0)
        return Image.fromarray(scaled.astype(np.uint8))
    return picture.convert("RGB")
