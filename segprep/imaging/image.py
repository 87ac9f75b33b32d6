"""The only door to pixels: headers, decoding, orientation, transcoding, masks with VOC colors."""

import io
import logging
import struct
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from segprep import kernel
from segprep.errors import SourceError
from segprep.files import read_file
from segprep.imaging import damage, headers, png, tiff
from segprep.imaging.depth import eight_bits
from segprep.imaging.word_runs import runs_of
from segprep.types import MAX_PIXELS

logging.getLogger("PIL").addHandler(logging.NullHandler())  # what matters is raised

FORMATS = ("JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
SUFFIXES = (
    *(".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff"),
    *(".gif", ".webp", ".ppm", ".pgm", ".pbm"),
)
DECODING_ERRORS = (  # what Pillow raises for damaged files; the last three for broken TIFF
    OSError,
    SyntaxError,
    ValueError,
    NotImplementedError,
    OverflowError,
    MemoryError,
    TypeError,
    LookupError,
    struct.error,
)


Header = headers.Header
MaskMode = Literal["palette", "gray"]
_PART = 1 << 20  # pixels
_latest: list[Any] = []  # the last header asked for, after its data: readers ask twice


@contextmanager
def opened(data: bytes | io.BytesIO, path: Path, limit: int) -> Iterator[Image.Image]:
    """Pillow's image of *data*, restricted to FORMATS and to *limit* pixels.

    Every decoding failure becomes a SourceError.
    """
    before = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = max(
        limit, MAX_PIXELS // 2
    )  # Pillow refuses at twice this; ours below is the exact check
    try:
        with warnings.catch_warnings():
            # Pillow warns about bombs and odd metadata; here sizes are checked, pixels by decoding
            warnings.simplefilter("ignore")
            file = io.BytesIO(data) if isinstance(data, bytes) else data
            with Image.open(file, formats=FORMATS) as picture:
                if picture.width * picture.height > limit:
                    raise _too_large(path, picture.width, picture.height, limit)
                yield picture
    except SourceError:
        raise
    except UnidentifiedImageError as error:
        what, hint = damage.cause(data if isinstance(data, bytes) else data.getvalue())
        raise SourceError(
            path,
            f"is {what}" if what else "is not an image of a supported format",
            hint or f"supported: {', '.join(FORMATS)}",
            "image-unsupported",
        ) from error
    except Image.DecompressionBombError as error:
        raise SourceError(
            path,
            f"more than {limit} pixels",
            "raise --max-pixels if the image is genuine",
            "image-too-large",
        ) from error
    except DECODING_ERRORS as error:
        raise damage.refusal(path, error) from error
    finally:
        Image.MAX_IMAGE_PIXELS = before


def _too_large(path: Path, width: int, height: int, limit: int) -> SourceError:
    return SourceError(
        path,
        f"{width}x{height} pixels; {limit} are allowed",
        "raise --max-pixels if the image is genuine",
        "image-too-large",
    )


def header(data: bytes, path: Path, limit: int = MAX_PIXELS) -> Header:
    """Format, size and orientation of an encoded image, without decoding it.

    Raises SourceError; *path* is for the message.
    """
    if _latest and _latest[0] is data and _latest[1].width * _latest[1].height <= limit:
        return cast("Header", _latest[1])
    layout = tiff.first(data)
    if layout and layout.readable:
        head = headers.of_tiff(data, layout)
        if head.width * head.height > limit:
            raise _too_large(path, head.width, head.height, limit)
    else:
        plain = headers.of_jpeg(data)
        if not plain or plain.width * plain.height > limit:
            with opened(data, path, limit) as picture:
                plain = headers.of_picture(picture, data)
        head = plain
    _latest[:] = data, head
    return head


def pixels(
    data: bytes, path: Path, *, upright: bool = True, limit: int = MAX_PIXELS
) -> NDArray[Any]:
    """The decoded image as RGB, (H, W, 3) uint8; more than 8 bits as :func:`eight_bits` has them.
    Raises SourceError.
    """
    with opened(data, path, limit) as picture:
        drawn = ImageOps.exif_transpose(picture) if upright else picture
        if drawn.mode.startswith("I;16") or drawn.mode in (
            "I",
            "F",
        ):  # Pillow would cut them at 255
            return np.repeat(eight_bits(np.asarray(drawn))[:, :, None], 3, axis=2)
        return np.asarray(drawn.convert("RGB"))


def upright_array(array: NDArray[Any], orientation: int) -> NDArray[Any]:
    """*array* (H, W) or (H, W, C), given in stored rows, as it lies in the upright picture (EXIF
    orientation 1..8).
    """
    turned = array.swapaxes(0, 1) if orientation >= 5 else array
    rows = -1 if orientation in (3, 4, 7, 8) else 1
    columns = -1 if orientation in (2, 3, 6, 7) else 1
    return np.ascontiguousarray(turned[::rows, ::columns])


def histogram(mask: NDArray[Any]) -> dict[int, int]:
    """Pixel value -> count, values that occur only. *mask* (H, W) of unsigned integers."""
    flat = np.ascontiguousarray(mask).reshape(-1)
    if mask.dtype == np.uint8:
        if kernel.compiled is not None:
            return kernel.compiled.histogram(flat)
        counts = runs_of(flat).counts()
    else:
        counts = np.zeros(int(flat.max(initial=0)) + 1, np.int64)
        for part in _parts(flat):
            counts += np.bincount(part, minlength=len(counts))
    return {int(value): int(counts[value]) for value in np.flatnonzero(counts)}


def _parts(flat: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """*flat* in parts: NumPy counts and looks up by a copy of eight bytes per pixel."""
    for start in range(0, flat.size, _PART):
        yield flat[start : start + _PART]


def look_up(drawn: NDArray[Any], table: bytes) -> tuple[NDArray[np.uint8], dict[int, int]]:
    """(H, W) uint8, ``table[value]`` at every pixel of *drawn* (uint8, uint16, int32), and the
    :func:`histogram` of *drawn*.

    *table* has an entry for every value that occurs.
    """
    if drawn.dtype != np.uint8:
        return replaced(drawn, np.frombuffer(table, np.uint8)), histogram(drawn)
    drawn, table = np.ascontiguousarray(drawn), table.ljust(256, b"\0")[:256]
    if kernel.compiled is not None:
        ids = np.empty(drawn.shape, np.uint8)
        return ids, kernel.compiled.look_up(drawn, table, ids)
    values = np.frombuffer(table, np.uint8)
    runs = runs_of(drawn.reshape(-1))
    counts = runs.counts()
    return runs.through(values).reshape(drawn.shape), {
        int(value): int(counts[value]) for value in np.flatnonzero(counts)
    }


def replaced(drawn: NDArray[Any], table: NDArray[Any]) -> NDArray[Any]:
    """``table[value]`` at every pixel of *drawn* (H, W), in the table's type."""
    result = np.empty(drawn.size, table.dtype)
    for old, new in zip(_parts(drawn.reshape(-1)), _parts(result), strict=True):
        np.take(table, old, out=new)
    return result.reshape(drawn.shape)


@cache
def voc_colors() -> bytes:
    """PASCAL VOC's color map, 256 x RGB: bit i of each channel comes from the id, spread over the
    high bits (VOC devkit, VOClabelcolormap).
    """
    table = bytearray()
    for index in range(256):
        red = green = blue = 0
        for bit in range(8):
            group = index >> (3 * bit) & 7
            red, green, blue = (
                c | (group >> n & 1) << (7 - bit) for n, c in enumerate((red, green, blue))
            )
        table += bytes((red, green, blue))
    return bytes(table)


def luminance(color: tuple[int, int, int]) -> int:
    """The gray level that Pillow gives *color* (ITU-R 601)."""
    return cast("int", Image.new("RGB", (1, 1), color).convert("L").getpixel((0, 0)))


def encode_mask(
    mask: NDArray[np.uint8], mode: MaskMode = "palette", values: Iterable[int] | None = None
) -> bytes:
    """*mask* (H, W) as an 8-bit PNG whose pixel value is the class id, with VOC's colors or plain
    gray. *values* are those that occur in it; None: they are looked for.
    """
    if values is None:
        values = histogram(mask)
    return png.encode_mask(mask, voc_colors() if mode == "palette" else None, values)


def encode_rgb(colors: NDArray[np.uint8]) -> bytes:
    """*colors* (H, W, 3) as an 8-bit RGB PNG."""
    out = io.BytesIO()
    Image.fromarray(colors).save(out, "PNG")
    return out.getvalue()


def encode_objects(objects: NDArray[np.uint16], mode: MaskMode = "palette") -> bytes:
    """Instance ids (H, W): 8-bit up to 254 of them, with 255 where ignored; else 16-bit gray with
    65535.
    """
    ignored = objects == 65_535
    if int(np.where(ignored, 0, objects).max(initial=0)) > 254:
        return png.encode(objects)
    return encode_mask(np.where(ignored, 255, objects).astype(np.uint8), mode)


def decode_mask(data: bytes, path: Path, limit: int = MAX_PIXELS) -> NDArray[Any]:
    """Pixel values (H, W) of a single-channel PNG: indices for a palette, never luminance; uint8,
    or uint16 for 16-bit.

    Raises SourceError for RGB, alpha and float images, whose pixels are not class ids, for files of
    several frames or pages, and where a checksum is wrong.
    """
    plain = png.decode(data, limit)
    if plain is not None:
        return np.ascontiguousarray(plain)
    if data.startswith(png.SIGNATURE):
        try:
            png.verify(data)
        except ValueError as error:
            raise SourceError(
                path, f"is damaged: {error}", "restore the file from its origin", "image-damaged"
            ) from error
    still = data.startswith(png.SIGNATURE) and not png.is_animated(data)
    if not still and header(data, path, limit).several:
        raise damage.several_frames(path)
    with opened(data, path, limit) as picture:
        if picture.mode not in ("L", "P", "1", "I;16", "I;16B"):
            raise SourceError(
                path,
                f"pixel type {picture.mode} holds colors, not class ids",
                "convert it to ids first",
                "image-unsupported",
            )
        array = np.asarray(picture)
    return array.astype(np.uint16 if array.dtype.itemsize > 1 else np.uint8)


def read_mask(path: str | Path) -> NDArray[Any]:
    """The mask at *path*: (H, W) class or instance ids. Raises SourceError."""
    return decode_mask(read_file(Path(path)), Path(path))


def write_mask(path: str | Path, mask: NDArray[Any], mode: MaskMode = "palette") -> None:
    """Write *mask* (H, W) of integers 0..255 as an indexed (or gray) PNG.

    Raises ValueError for anything else.
    """
    array = np.asarray(mask)
    if (
        array.ndim != 2
        or array.dtype.kind not in "ui"
        or array.size == 0
        or array.min() < 0
        or array.max() > 255
    ):
        raise ValueError(f"a mask is (H, W) integers 0..255, not {array.dtype} {array.shape}")
    Path(path).write_bytes(encode_mask(array.astype(np.uint8), mode))
