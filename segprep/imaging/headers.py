"""What an image file says of itself before any pixel is decoded."""

import struct
from dataclasses import dataclass

from PIL import Image

from segprep.imaging import png, tiff

_ORIENTATION = 0x0112
_WITH_EXIF = ("JPEG", "PNG", "TIFF", "WEBP")
_SOS, _FRAMES = 0xDA, (0xC0, 0xC1, 0xC2)  # baseline, extended, progressive
_NO_EFFECT = (0xE0, 0xEE, 0xFE, 0xDB, 0xC4, 0xDD)  # JFIF, Adobe, comment; tables, restarts
_JPEG_MODES = {1: "L", 3: "RGB", 4: "CMYK"}


@dataclass(frozen=True, slots=True)
class Header:
    """What an image file says of itself.

    *width* and *height* are of the stored rows, before *orientation* (1..8); *several*: it holds
    more frames.
    """

    format: str
    width: int
    height: int
    mode: str
    orientation: int
    several: bool

    @property
    def turned(self) -> bool:
        """Whether uprighting swaps width and height."""
        return self.orientation >= 5

    def shape(self, upright: bool) -> tuple[int, int]:
        """(H, W) of the stored rows, or of the upright picture."""
        return (self.width, self.height) if upright and self.turned else (self.height, self.width)


def of_picture(picture: Image.Image, data: bytes, size: tuple[int, int] | None = None) -> Header:
    """The header of *picture*, which Pillow opened from *data*; *size* (width, height) is what it
    had before it was decoded at a reduced scale.
    """
    kind = "JPEG" if picture.format == "MPO" else str(picture.format)
    orientation = _orientation(picture, data) if kind in _WITH_EXIF else 1
    mode = f"{picture.mode};16" if png.is_deep(data) else picture.mode
    if kind == "TIFF" and tiff.first(data):
        several = tiff.several(data)
    else:
        several = kind != "JPEG" and _has_another(picture)
    return Header(kind, *(size or picture.size), mode, orientation, several)


def of_tiff(data: bytes, layout: tiff.Layout) -> Header:
    """The header of a file that Pillow cannot read as it is; see :mod:`.sixteen_bits`."""
    orientation = layout.number(tiff.ORIENTATION, 1)
    mode = {1: "I", 2: "LA", 3: "RGB", 4: "RGBA"}.get(layout.samples, f"{layout.samples} bands")
    return Header(
        "TIFF",
        layout.number(tiff.WIDTH),
        layout.number(tiff.HEIGHT),
        f"{mode};{layout.bits}",
        orientation if 1 <= orientation <= 8 else 1,
        tiff.several(data),
    )


def of_jpeg(data: bytes) -> Header | None:
    """The header of a plain JPEG: 8 bits, gray, color or CMYK, with no EXIF or XMP, which may turn
    it, and no second image. None for every other file, which Pillow reads; ten times as fast.
    """
    if not data.startswith(b"\xff\xd8\xff"):
        return None
    at, shape = 2, None
    while at + 4 <= len(data) and data[at] == 0xFF:
        kind, end = data[at + 1], at + 2 + int.from_bytes(data[at + 2 : at + 4])
        if kind == _SOS and shape:
            return Header("JPEG", *shape, 1, False)
        if kind in _FRAMES and not shape and at + 10 <= end <= len(data):
            bits, height, width, count = struct.unpack_from(">BHHB", data, at + 4)
            whole = bits == 8 and width and height and end == at + 10 + 3 * count
            if not whole or count not in _JPEG_MODES:
                return None
            shape = width, height, _JPEG_MODES[count]
        elif kind not in _NO_EFFECT or end <= at + 4:
            return None
        at = end
    return None


def _orientation(picture: Image.Image, data: bytes) -> int:
    """The EXIF orientation, 1 where there is none or an invalid one. Pillow would decode a PNG's
    pixels for what may follow them, so it is asked for that only where something does.
    """
    if picture.format == "PNG" and not png.has_metadata_after_pixels(data):
        exif = Image.Image.getexif(picture)
    else:
        exif = picture.getexif()
    orientation = exif.get(_ORIENTATION, 1)
    return orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1


def _has_another(picture: Image.Image) -> bool:
    """Whether there is a second frame; counting them all would read a hundred thousand pages."""
    try:
        picture.seek(1)
    except EOFError:
        return False
    return True
