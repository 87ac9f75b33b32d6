"""Mask files that other tools wrote: what their pixels mean.

A mask may be indexed, gray, 16-bit, gray stored as RGB, or colored; each reading here is explicit,
and what it cannot read without guessing it refuses.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segprep.errors import SourceError
from segprep.imaging import image, lit_part, mask_opening, palettes, png, tiff, whole_numbers
from segprep.imaging.lit_part import LitPart
from segprep.types import MAX_PIXELS, Note

_SIXTEEN = ("I;16", "I;16B", "I;16L", "I")
_TINT = 8  # between the channels of what is black and white all the same


def values(
    data: bytes, path: Path, notes: list[Note], limit: int = MAX_PIXELS, palette: str = "auto"
) -> NDArray[Any]:
    """Pixel values (H, W), uint8 or uint16: indices of a palette, never luminance; 0/1 of a bitmap;
    the gray of a gray RGB picture, all 16 bits of it.

    GIF writers renumber palettes, so a GIF whose colors are grays other than their indices is
    refused unless *palette* says "index" or "gray". Raises SourceError.
    """
    plain = _plain(data, path, notes, limit, palette)
    if plain is not None:
        return plain
    raster = whole_numbers.of_raster(data, path, limit)
    if raster is not None:
        mask_opening.refuse_frames(data, path, limit)
        return raster
    stored = mask_opening.stored(data, path, limit)
    if stored is not None:
        return _one_channel(stored, path, notes, f"{8 * stored.itemsize} bits per channel")
    with mask_opening.opened(data, path, limit) as picture:
        colors = palettes.Palette.of(picture) if picture.mode == "P" else None
        if colors is not None and palettes.is_gray(colors):
            if palette == "auto" and picture.format == "GIF":
                reason = "a GIF whose palette indices and gray levels differ: either may be meant"
                raise SourceError(
                    path,
                    reason,
                    "say which with --palette index or --palette gray",
                    "palette-ambiguous",
                )
            if palette == "gray":
                return _shown(picture, path)[..., 0]
        if colors is not None:
            notes += _doubtful(colors, path)
        if picture.mode in ("L", "P", "1"):
            pixels = np.asarray(picture).astype(np.uint8)
            return _as_stored(pixels, data, picture, path, notes)
        if picture.mode in _SIXTEEN:
            return _sixteen(np.asarray(picture), path)
        shown = _shown(picture, path)
    return _one_channel(shown, path, notes, picture.mode)


def _as_stored(
    pixels: NDArray[np.uint8], data: bytes, picture: Image.Image, path: Path, notes: list[Note]
) -> NDArray[np.uint8]:
    """*pixels* (H, W) as they are in the file: Pillow inverts a TIFF whose 0 is white."""
    layout = tiff.first(data)
    if layout is None or layout.number(tiff.PHOTOMETRIC, 1) != 0 or layout.bits not in (1, 8):
        return pixels
    reason = "its 0 is displayed as white; the stored numbers were used, not the shades"
    notes.append(Note("values-unclear", f"{path.name}: {reason}"))
    return np.subtract(1 if picture.mode == "1" else 255, pixels, dtype=np.uint8)


def _plain(
    data: bytes, path: Path, notes: list[Note], limit: int, palette: str
) -> NDArray[np.uint8] | None:
    """What :func:`values` gives for a plain PNG of 8 bits, read without Pillow; None for all other
    files, and where the colors of a palette may be what is meant.
    """
    pixels = png.decode(data, limit) if png.is_one_channel(data) else None
    if pixels is None:
        return None
    pixels = np.ascontiguousarray(pixels)
    if data[25:26] == b"\3":
        table = np.frombuffer(png.palette(data), np.uint8)
        used = sorted(image.histogram(pixels))
        if len(table) % 3 or used[-1] >= len(table) // 3:
            return None
        colors = palettes.Palette(table.reshape(-1, 3), used)
        if palette == "gray" and palettes.is_gray(colors):
            return None
        notes += _doubtful(colors, path)
    return pixels


def _doubtful(colors: palettes.Palette, path: Path) -> list[Note]:
    """A note where the indices may not be what the colors mean."""
    doubt = palettes.doubt(colors)
    reason = f"{path.name}: {doubt}; the indices were taken"
    return [Note("palette-ambiguous", reason)] if doubt else []


def _one_channel(
    pixels: NDArray[Any], path: Path, notes: list[Note], what: str
) -> NDArray[np.uint8 | np.uint16]:
    """The channel of *pixels* (H, W, C) whose channels are equal. Raises SourceError if not."""
    if not _is_gray(pixels):
        reason = f"holds colors ({what}), not class ids"
        raise SourceError(path, reason, "use: segprep convert colormap", "mask-is-colour")
    if pixels.shape[2] > 1:
        notes.append(Note("mask-grey-rgb", f"{path.name} stores its values as gray, {what}"))
    return np.ascontiguousarray(pixels[..., 0])


def intensity(data: bytes, path: Path, limit: int = MAX_PIXELS) -> NDArray[np.uint8]:
    """Brightness (H, W) 0..255 as the picture shows it: palettes through their colors, a bitmap as
    0 and 255. Raises SourceError for colors.
    """
    plain = png.decode(data, limit) if data[25:26] == b"\0" else None  # gray, not indices
    if plain is not None:
        return np.ascontiguousarray(plain)
    raster = whole_numbers.of_raster(data, path, limit)
    if raster is not None:
        mask_opening.refuse_frames(data, path, limit)
        return _brightness(raster, path)
    deep = mask_opening.deep(data, path, limit)
    if deep is not None:
        if not _is_gray(deep):
            raise _colored(path)
        return _brightness(deep[..., 0], path)
    with mask_opening.opened(data, path, limit) as picture:
        if picture.mode == "1":
            return np.asarray(picture.convert("L"))
        if picture.mode == "L":
            return np.asarray(picture)
        if picture.mode in _SIXTEEN:
            return _brightness(_sixteen(np.asarray(picture), path), path)
        shown = _shown(picture, path)
        if "A" in picture.getbands():
            _refuse_light_unseen(shown, np.asarray(picture.getchannel("A")), path)
    if _is_gray(shown):
        return np.ascontiguousarray(shown[..., 0])
    if (gray := _untinted(shown)) is None:
        raise _colored(path)
    return gray


def _untinted(shown: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """The brightness (H, W) of *shown* (H, W, 3) where its colors are a tint of a black and white
    picture, as JPEG and color profiles leave it; None where they are colors.
    """
    high = shown.max(axis=2)
    tinted = int((high - shown.min(axis=2)).max(initial=0)) <= _TINT
    return high if tinted and int(high.max(initial=0)) >= 128 else None  # else ids in one channel


def _refuse_light_unseen(shown: NDArray[np.uint8], alpha: NDArray[np.uint8], path: Path) -> None:
    """Raise SourceError where *shown* (H, W, 3) is light both where it is seen and where *alpha*
    (H, W) is 0, as in the margin of a figure: brightness would take the two for one thing.
    """
    light, unseen = shown[..., 0] > 127, alpha == 0
    if (light & unseen).any() and (light & ~unseen).any() and not light.all():
        reason = (
            f"{np.count_nonzero(light & unseen)} pixels are transparent but white underneath, like"
            " what is drawn in white: object or background?"
        )
        hint = "paint the transparent pixels, and save it without an alpha channel"
        raise SourceError(path, reason, hint, "values-unclear")


def _colored(path: Path) -> SourceError:
    return SourceError(
        path,
        "holds colors; a binary mask is black and white",
        "use: segprep convert colormap",
        "mask-is-colour",
    )


def _brightness(wide: NDArray[Any], path: Path) -> NDArray[np.uint8]:
    """16-bit values as 0..255: as they are if none is larger, else their high bytes. Raises
    SourceError where these would all be dark, as those of 12-bit values are.
    """
    most = int(wide.max(initial=0))
    if 255 < most < 32_768:
        raise SourceError(
            path,
            f"has 16-bit values up to {most}, none of which is bright",
            "give --foreground nonzero, or say what each value means: segprep convert pairs"
            " --ids VALUE=NAME",
            "values-unclear",
        )
    return (wide if most <= 255 else wide >> 8).astype(np.uint8)


def lit(data: bytes, path: Path, limit: int = MAX_PIXELS) -> LitPart:
    """The part of a mask, which is mostly black, that is not, as its brightness. Raises SourceError
    for colors.
    """
    gray = data[25:26] == b"\0"  # not indices
    if gray and (part := lit_part.of_png(data, limit)) is not None:
        return part
    whole = png.decode(data, limit) if gray else None
    return lit_part.of_pixels(intensity(data, path, limit) if whole is None else whole)


def colors(data: bytes, path: Path, limit: int = MAX_PIXELS) -> NDArray[np.uint8]:
    """The colors (H, W, 3) that the picture shows; an alpha channel is ignored.

    Raises SourceError.
    """
    deep = mask_opening.deep(data, path, limit)
    if deep is not None:
        return _eight_bits(deep, path)
    with mask_opening.opened(data, path, limit) as picture:
        if picture.mode in _SIXTEEN or picture.mode == "F":
            raise SourceError(
                path,
                f"pixel type {picture.mode} holds no colors",
                "use: segprep convert pairs",
                "image-unsupported",
            )
        return np.ascontiguousarray(_shown(picture, path))


def _eight_bits(pixels: NDArray[Any], path: Path) -> NDArray[np.uint8]:
    """Colors (H, W, 3) of 16 bits as 8: where the two bytes of all of them are equal, or the high
    ones are 0. Raises SourceError for all others.
    """
    rgb = pixels if pixels.shape[2] == 3 else np.repeat(pixels[..., :1], 3, axis=2)
    low, high = rgb & 255, rgb >> 8
    if pixels.dtype == np.uint8 or not high.any() or (low == high).all():
        return low.astype(np.uint8)
    raise SourceError(
        path,
        "has colors of 16 bits per channel that 8 bits cannot hold",
        "save it with 8 bits per channel",
        "image-unsupported",
    )


def _shown(picture: Image.Image, path: Path) -> NDArray[np.uint8]:
    if picture.mode == "F":
        raise SourceError(
            path,
            "has float pixels, which are not class ids",
            "save it as 8-bit PNG",
            "image-unsupported",
        )
    shown = np.asarray(picture.convert("RGB" if picture.mode != "RGBA" else "RGBA"))[..., :3]
    if (
        "A" in picture.getbands()
        and (shown == shown[0, 0]).all()
        and len(set(picture.getchannel("A").getextrema())) > 1
    ):
        reason = "has one color all over; only its transparency distinguishes regions"
        raise SourceError(
            path,
            reason,
            "draw it in black and white, or in colors, and save it without an alpha channel",
            "values-unclear",
        )
    return shown


def _is_gray(shown: NDArray[Any]) -> bool:
    return all(bool((shown[..., 0] == shown[..., n]).all()) for n in range(1, shown.shape[2]))


def _sixteen(array: NDArray[Any], path: Path) -> NDArray[np.uint16]:
    if array.size and (array.min() < 0 or array.max() > 65_535):
        raise SourceError(
            path,
            f"holds values from {array.min()} to {array.max()}; 0 to 65535 are possible",
            "save it as 16-bit PNG",
            "image-unsupported",
        )
    return array.astype(np.uint16)


def cutout(data: bytes, path: Path, limit: int = MAX_PIXELS) -> NDArray[np.bool_]:
    """The pixels (H, W) of a picture of one object: where it is not transparent, or without
    transparency where it is not black. Raises SourceError.
    """
    with image.opened(data, path, limit) as picture:
        if "A" in picture.getbands() or "transparency" in picture.info:
            return np.asarray(picture.convert("RGBA"))[..., 3] > 0
        return np.asarray(picture.convert("L")) > 0
