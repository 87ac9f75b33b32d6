"""Pixels of 16 bits per channel, which Pillow would cut to 8, and TIFF samples that it refuses.

A PNG's rows are split into high and low bytes: the filters of PNG work on bytes of the same
position in neighboring pixels, so each half is a valid 8-bit PNG that Pillow decodes.
"""

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segprep.errors import SourceError
from segprep.imaging import image, netpbm, png, png_parts, tiff
from segprep.types import MAX_PIXELS

BANDS = 64  # of an image at most
_PNG_CHANNELS = {2: 3, 4: 2, 6: 4}


def read(data: bytes, path: Path, limit: int = MAX_PIXELS) -> NDArray[Any] | None:
    """(H, W, C) uint16 (or uint8 for planes of 8 bits) of a file that Pillow would read with fewer
    bits, or not at all; None for all others.

    Raises SourceError for damaged data, negative samples and more than *limit* pixels.
    """
    if png.is_deep(data):
        return _of_png(data, path, limit)
    if netpbm.is_wide(data):
        return netpbm.read(data, path, limit)
    layout = tiff.first(data)
    return _of_tiff(data, layout, path, limit) if layout and layout.special else None


def _of_png(data: bytes, path: Path, limit: int) -> NDArray[np.uint16]:
    width, height = struct.unpack(">II", data[16:24])
    check_size(width, height, 1, path, limit)
    try:
        bodies = [bytes(body) for kind, body in png.chunks(data) if kind == b"IDAT"]
        channels, raw = _PNG_CHANNELS[data[25]], zlib.decompress(b"".join(bodies))
        halves = _halves(raw, png.pass_sizes(width, height, data[28]), channels)
    except (ValueError, zlib.error) as error:
        raise SourceError(
            path, f"is damaged: {error}", "restore the file from its origin", "image-damaged"
        ) from error
    high, low = (
        _decoded(png_parts.with_rows(half, width, height, data[25], data[28]), path, limit)
        for half in halves
    )
    return np.asarray(high.astype(np.uint16) << 8 | low, np.uint16)


def _decoded(data: bytes, path: Path, limit: int) -> NDArray[Any]:
    with image.opened(data, path, limit) as picture:
        return np.asarray(picture)


def _halves(raw: bytes, sizes: list[tuple[int, int]], channels: int) -> tuple[bytes, bytes]:
    """The scanlines *raw* of each pass, as those of the high bytes and those of the low ones."""
    data, at = np.frombuffer(raw, np.uint8), 0
    parts: tuple[list[bytes], list[bytes]] = ([], [])
    for columns, rows in sizes:
        size = rows * (1 + 2 * channels * columns)
        if at + size > len(data):
            raise ValueError("the image data end early")
        lines = data[at : at + size].reshape(rows, -1)
        at += size
        for half in (0, 1):
            both = np.concatenate([lines[:, :1], lines[:, 1 + half :: 2]], axis=1)
            parts[half].append(both.tobytes())
    return b"".join(parts[0]), b"".join(parts[1])


def _of_tiff(data: bytes, layout: tiff.Layout, path: Path, limit: int) -> NDArray[Any]:
    width, height, samples = layout.number(tiff.WIDTH), layout.number(tiff.HEIGHT), layout.samples
    check_size(width, height, samples, path, limit)
    if layout.number(tiff.PLANAR, 1) == 2:
        planes = [_plane(data, layout, plane, path, limit) for plane in range(samples)]
        pixels = np.stack([plane[..., 0] for plane in planes], axis=2)
    else:
        pixels = _plane(data, layout, None, path, limit)
    if layout.signed:
        signed = pixels.view(np.int16 if pixels.dtype == np.uint16 else np.int8)
        if signed.size and int(signed.min()) < 0:
            reason = f"holds values from {signed.min()} to {signed.max()}; negative pixel"
            raise SourceError(
                path,
                f"{reason} values are not supported",
                "shift them to 0 and above, and save the file as unsigned 16-bit",
                "image-unsupported",
            )
    return pixels


def _plane(
    data: bytes, layout: tiff.Layout, plane: int | None, path: Path, limit: int
) -> NDArray[Any]:
    """(H, W, C) of all channels, or (H, W, 1) of one *plane*."""
    channels = layout.samples if plane is None else 1
    page = tiff.gray_page(data, layout, plane)
    with image.opened(page, path, limit * channels) as picture:
        lines = np.asarray(picture).astype(np.uint16 if layout.bits == 16 else np.uint8)
    pixels = lines.reshape(lines.shape[0], -1, channels)
    if layout.number(tiff.PREDICTOR, 1) == 2:
        step = layout.number(tiff.TILE_WIDTH, pixels.shape[1]) or pixels.shape[1]
        for start in range(0, pixels.shape[1], step):
            part = pixels[:, start : start + step]
            pixels[:, start : start + step] = np.cumsum(part, axis=1, dtype=part.dtype)
    return pixels


def check_size(width: int, height: int, bands: int, path: Path, limit: int) -> None:
    """Raise SourceError for no pixels, more than *limit* of them, or more than BANDS bands."""
    if not 0 < width * height <= limit or bands > BANDS:
        raise SourceError(
            path,
            f"{width}x{height} pixels of {bands} bands; {limit} pixels and {BANDS} are allowed",
            "raise --max-pixels if the image is genuine",
            "image-too-large",
        )
