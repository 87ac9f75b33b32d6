"""The door to mask files: nothing damaged, nothing of several frames, no bits lost."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from PIL import Image

from segprep.errors import SourceError
from segprep.imaging import damage, image, netpbm, png, sixteen_bits


@contextmanager
def opened(data: bytes, path: Path, limit: int) -> Iterator[Image.Image]:
    """Pillow's image of a mask file whose checksums hold and which has one frame.

    Raises SourceError (image-damaged, mask-frames), for nobody would see a wrong class id.
    """
    try:
        if data.startswith(png.SIGNATURE):
            png.verify(data)
    except ValueError as error:
        raise SourceError(
            path, f"is damaged: {error}", "restore the file from its origin", "image-damaged"
        ) from error
    refuse_frames(data, path, limit)
    with image.opened(data, path, limit) as picture:
        yield picture


def refuse_frames(data: bytes, path: Path, limit: int) -> None:
    """Raise SourceError (mask-frames) if the file holds several pictures."""
    still = data.startswith(png.SIGNATURE) and not png.is_animated(data)
    if not still and image.header(data, path, limit).several:
        raise damage.several_frames(path)


def deep(data: bytes, path: Path, limit: int) -> NDArray[Any] | None:
    """(H, W, C) of a mask with 16 bits in each of several channels, alpha dropped; None for all
    other files, and for PGM and PPM, whose header says what white is.
    """
    pixels = None if netpbm.is_wide(data) else sixteen_bits.read(data, path, limit)
    if pixels is None:
        return None
    refuse_frames(data, path, limit)
    channels = pixels.shape[2]
    return pixels[..., : channels - 1] if channels in (2, 4) else pixels


def stored(data: bytes, path: Path, limit: int) -> NDArray[Any] | None:
    """(H, W, C) of what :func:`deep` reads, and of PGM and PPM whose numbers Pillow would stretch;
    None for all other files.
    """
    numbers = netpbm.read(data, path, limit)
    return deep(data, path, limit) if numbers is None else numbers
