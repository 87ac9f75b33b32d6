"""An image file as another: whole to its last byte, upright, as lossless PNG or as JPEG."""

import io
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image, ImageOps

from segprep.errors import SourceError
from segprep.imaging import image, png
from segprep.types import MAX_PIXELS

_PLAIN = {"1", "L", "LA", "RGB", "RGBA", "I;16"}  # what PNG stores as it is and trainers read


def intact(data: bytes, path: Path, kind: str, limit: int = MAX_PIXELS) -> bool:
    """Whether a JPEG or PNG is whole to its last byte. False: the end is damaged, but the pixels
    decode. Raises SourceError if they do not.

    A whole JPEG is never decoded for this; a PNG is checked by its checksums and amount of data.
    """
    try:
        if kind == "PNG":
            png.check(data)
            return True
        if data.rstrip(b"\0\r\n ").endswith(b"\xff\xd9"):
            return True
    except (ValueError, png.InflateError) as error:
        if "before its last chunk" not in str(error):
            raise SourceError(
                path, f"is damaged: {error}", "restore the file from its origin", "image-damaged"
            ) from error
    with image.opened(data, path, limit) as picture:
        picture.load()
    return kind == "JPEG" and data.rfind(b"\xff\xd9") > len(data) // 2


def transcode(
    data: bytes,
    path: Path,
    target: Literal["png", "jpg"],
    limit: int = MAX_PIXELS,
    *,
    rgb: bool = False,
    gray_bits: int = 16,
) -> tuple[bytes, str]:
    """The image upright as lossless PNG, or as JPEG (quality 95, 4:4:4); and in words what changed
    beyond the format. With *rgb* it is 8-bit RGB whatever it was.

    16-bit gray stays 16-bit in PNG; of the *gray_bits* that the set uses, JPEG and RGB keep the
    highest eight. Palettes and CMYK become
    RGB(A); transparency is lost in JPEG. Float and 32-bit images are refused: there is no one right
    way to squeeze them.
    """
    with image.opened(data, path, limit) as picture:
        mode, profile = picture.mode, picture.info.get("icc_profile")
        if mode in ("F", "I") or (mode.startswith("I;") and mode not in ("I;16", "I;16B", "I;16L")):
            raise SourceError(
                path,
                f"pixel type {mode} has no one right 8-bit form",
                "save it as 8-bit or 16-bit gray, or RGB",
                "image-unsupported",
            )
        upright = ImageOps.exif_transpose(picture)
        clear = "transparency" in upright.info
        if mode.startswith("I;16"):
            upright = Image.fromarray(np.asarray(upright).astype(np.uint16))
        target_mode = (
            mode
            if mode in _PLAIN
            else (
                "I;16"
                if mode.startswith("I;16")
                else "RGBA"
                if clear or mode in ("PA", "RGBa")
                else "RGB"
            )
        )
        if target == "jpg" or rgb:
            gray = mode in ("1", "L", "LA") or mode.startswith("I;16")
            target_mode = "L" if gray and not rgb else "RGB"
            if mode.startswith("I;16"):
                upright = Image.fromarray((np.asarray(upright) >> (gray_bits - 8)).astype(np.uint8))
        if upright.mode != target_mode:
            upright = upright.convert(target_mode)
        keep = {"icc_profile": profile} if profile and mode == target_mode else {}
        out = io.BytesIO()
        upright.info.clear()
        if target == "jpg":
            upright.save(out, "JPEG", quality=95, subsampling=0, **keep)
        else:
            upright.save(out, "PNG", **keep)
        return (
            out.getvalue(),
            _change(mode, target_mode, gray_bits),
        )


def _change(mode: str, target_mode: str, gray_bits: int) -> str:
    """In words, what became of the pixel type."""
    if mode == target_mode:
        return ""
    text = f"pixel type {mode} became {target_mode}"
    if mode.startswith("I;16") and gray_bits < 16:
        text += f": the highest 8 of the {gray_bits} bits in use"
    return text
