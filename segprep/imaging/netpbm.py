"""The numbers of PGM and PPM files as they are stored. Pillow stretches them to 255 or 65535, or
keeps their high byte only.

Format: https://netpbm.sourceforge.net/doc/pgm.html and ppm.html, P2, P3, P5 and P6.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segprep.errors import SourceError
from segprep.types import MAX_PIXELS

_GAP = rb"(?:\s|#[^\n]*\n)+"
_HEADER = re.compile(
    rb"P([2356])" + _GAP + rb"(\d{1,9})" + _GAP + rb"(\d{1,9})" + _GAP + rb"(\d{1,5})\s"
)
_BYTE = 255  # the highest value of files that Pillow reads as they are


def read(data: bytes, path: Path, limit: int = MAX_PIXELS) -> NDArray[Any] | None:
    """(H, W, C) uint8 or uint16 of a file whose highest value is not 255; None for all others.

    Raises SourceError for files that end early and more than *limit* pixels.
    """
    header = _HEADER.match(data)
    if header is None or int(header[4]) == _BYTE:
        return None
    kind, (width, height, highest) = header[1], (int(header[n]) for n in (2, 3, 4))
    if width * height > limit:
        reason = f"{width}x{height} pixels; {limit} are allowed"
        hint = "raise --max-pixels if the image is genuine"
        raise SourceError(path, reason, hint, "image-too-large")
    shape = height, width, 3 if kind in b"36" else 1
    number = np.dtype(np.uint8 if highest < _BYTE else ">u2")
    body = data[header.end() :]
    try:
        if kind in b"23":
            words = re.sub(rb"#[^\n]*", b"", body).split()
            samples = np.array(words[: shape[0] * shape[1] * shape[2]], np.int64)
        else:
            samples = np.frombuffer(body, number, shape[0] * shape[1] * shape[2])
        pixels = samples.reshape(shape)
        if pixels.size and not 0 <= int(pixels.min()) <= int(pixels.max()) <= highest:
            raise ValueError(f"a value above {highest}, its highest")
    except ValueError as error:
        hint = "restore the file from its origin"
        raise SourceError(path, f"is damaged: {error}", hint, "image-damaged") from error
    return pixels.astype(number.newbyteorder("="))


def is_wide(data: bytes) -> bool:
    """Whether the file has 16 bits per channel."""
    header = _HEADER.match(data)
    return header is not None and int(header[4]) > _BYTE
