"""How many bits the 16-bit images of a dataset really use: 12 as a camera or scanner writes
them, and their high byte alone would be nearly black.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from segprep import engine
from segprep.errors import SourceError
from segprep.files import open_inside, read_below
from segprep.imaging import image, sixteen_bits
from segprep.types import Entry

FULL = 16
_HEADER = 26  # bytes of a PNG up to its bit depth and color type


def gray_bits(entries: Sequence[Entry], roots: tuple[Path, ...], limit: int, *, jobs: int) -> int:
    """The bits (8 to 16) of the highest value in all 16-bit images of *entries*, gray or
    colored; 16 where
    there are none. An image that cannot be read counts for nothing: whoever exports it says so.
    """
    deep = [entry for entry in entries if _may_be_deep(entry.image)]
    bits = 0
    for result in engine.run(_Highest(roots, limit), deep, jobs=jobs):
        if not isinstance(result, engine.Failure):
            bits = max(bits, result.bit_length())
    return max(bits, 8) if bits else FULL


def _may_be_deep(path: Path) -> bool:
    """Whether the header does not rule out 16 bits per channel."""
    suffix = path.suffix.lower()
    if suffix in (".tif", ".tiff", ".pgm", ".ppm"):
        return True
    if suffix != ".png":
        return False
    try:
        with open_inside(path.parent, path.name) as file:
            header = file.read(_HEADER)
    except (OSError, SourceError):
        return False
    return header[24:25] == b"\x10"


@dataclass(frozen=True, slots=True)
class _Highest:
    """The highest value of one image if it has 16 bits per channel, else 0; for the engine."""

    roots: tuple[Path, ...]
    limit: int

    def __call__(self, entry: Entry) -> int:
        data = read_below(entry.image, self.roots)
        deep = sixteen_bits.read(data, entry.image, self.limit)
        if deep is not None:
            return int(deep.max(initial=0))
        with image.opened(data, entry.image, self.limit) as picture:
            if not picture.mode.startswith("I;16"):
                return 0
            try:
                return int(np.asarray(picture).max(initial=0))
            except (OSError, ValueError) as error:
                raise SourceError(entry.image, str(error), code="image-damaged") from error
