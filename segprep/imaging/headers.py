"""What an image file says of itself before any pixel is decoded."""

from dataclasses import dataclass

from PIL import Image

from segprep.imaging import png, tiff

_ORIENTATION = 0x0112
_WITH_EXIF = ("JPEG", "PNG", "TIFF", "WEBP")


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


def of_picture(picture: Image.Image, data: bytes) -> Header:
    """The header of *picture*, which Pillow opened from *data*."""
    kind = "JPEG" if picture.format == "MPO" else str(picture.format)
    orientation = _orientation(picture, data) if kind in _WITH_EXIF else 1
    mode = f"{picture.mode};16" if png.is_deep(data) else picture.mode
    if kind == "TIFF" and tiff.first(data):
        several = tiff.several(data)
    else:
        several = kind != "JPEG" and _has_another(picture)
    return Header(kind, picture.width, picture.height, mode, orientation, several)


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
