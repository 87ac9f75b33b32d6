"""An image file as another: whole to its last byte, upright, as lossless PNG or as JPEG."""

import io
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from segprep.errors import SourceError
from segprep.imaging import image, png, sixteen_bits
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
    gray_bits: int | None = None,
) -> tuple[bytes, str]:
    """The image upright as lossless PNG, or as JPEG (quality 95, 4:4:4); and in words what changed
    beyond the format. With *rgb* it is 8-bit RGB whatever it was.

    16 bits per channel stay 16 in PNG; of the *gray_bits* that the set uses, JPEG and 8-bit RGB
    keep the highest eight. None: unknown, so an image that would become nearly black is refused.
    Palettes and CMYK become RGB(A); transparency is lost in JPEG. Float and 32-bit images are
    refused: there is no one right way to squeeze them.
    """
    deep = sixteen_bits.read(data, path, limit)
    if deep is not None:
        return _transcode_deep(deep, data, path, target, limit, rgb=rgb, bits=gray_bits)
    with image.opened(data, path, limit) as picture:
        mode, profile = picture.mode, picture.info.get("icc_profile")
        if mode in ("F", "I") or (mode.startswith("I;") and mode not in ("I;16", "I;16B", "I;16L")):
            raise SourceError(
                path,
                f"pixel type {mode} has no unambiguous 8-bit form",
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
                upright = Image.fromarray(_narrow(np.asarray(upright), path, gray_bits))
        if upright.mode != target_mode:
            upright = upright.convert(target_mode)
        keep = {"icc_profile": profile} if profile and mode == target_mode else {}
        upright.info.clear()
        data = _saved(upright, target, **keep)
        return data, _change(mode, target_mode, gray_bits if mode.startswith("I;16") else None)


def _change(mode: str, target_mode: str, bits: int | None) -> str:
    """In words, what became of the pixel type; *bits* are those in use of 16."""
    if mode == target_mode:
        return ""
    text = f"pixel type {mode} became {target_mode}"
    return f"{text}: the highest 8 of the {bits} bits in use" if bits and bits < 16 else text


def _saved(picture: Image.Image, target: Literal["png", "jpg"], **keep: bytes) -> bytes:
    out = io.BytesIO()
    if target == "jpg":
        picture.save(out, "JPEG", quality=95, subsampling=0, **keep)
    else:
        picture.save(out, "PNG", **keep)
    return out.getvalue()


def _transcode_deep(
    pixels: NDArray[Any],
    data: bytes,
    path: Path,
    target: Literal["png", "jpg"],
    limit: int,
    *,
    rgb: bool,
    bits: int | None,
) -> tuple[bytes, str]:
    """*pixels* (H, W, C) of a file with more bits than Pillow reads, as PNG or JPEG."""
    channels = pixels.shape[2]
    if channels > 4:
        raise SourceError(
            path,
            f"has {channels} channels; an image here has 1 to 4",
            "export three of its bands as an RGB image",
            "image-unsupported",
        )
    head = image.header(data, path, limit)
    upright = image.upright_array(pixels, head.orientation)
    if target == "png" and not rgb:
        return png.encode(upright if channels > 1 else upright[..., 0]), ""
    narrow = _narrow(upright, path, bits) if upright.dtype == np.uint16 else upright
    narrow = narrow[..., 0] if channels < 3 else narrow[..., :3]
    picture = Image.fromarray(np.ascontiguousarray(narrow))
    picture = picture.convert("RGB") if rgb else picture
    return _saved(picture, target), _change(head.mode, picture.mode, bits)


def _narrow(pixels: NDArray[Any], path: Path, bits: int | None) -> NDArray[np.uint8]:
    """The highest 8 of the *bits* in use of 16-bit *pixels*. Where these are unknown, raises
    SourceError if the brightest is below 1/8 of the range, as 12-bit cameras and scanners store it:
    its high byte would be nearly black, and what its white is only the whole set tells.
    """
    if bits is not None:
        return np.asarray(np.minimum(pixels >> max(bits - 8, 0), 255), np.uint8)
    most = int(pixels.max(initial=0))
    if 0 < most < 8192:
        raise SourceError(
            path,
            f"has 16 bits per channel of which the brightest is {most}: 8 bits of it would be"
            " nearly black",
            "keep 16 bits (PNG), or stretch all images of the set by one factor first",
            "image-unsupported",
        )
    return (pixels >> 8).astype(np.uint8)
