"""Augmented samples as files: what the network really sees, in pairs of equal names, and all of
them on one sheet.

After Keras' save_to_dir, whose names agree only while two random generators do; here the pair is
written together.
"""

import io
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture

from segprep.errors import SegprepError, UsageError
from segprep.files import write_error
from segprep.imaging import image as pictures
from segprep.outputs import OutputFolder
from segprep.training.augmentation.steps import Image, Mask, as_kind
from segprep.training.data.pairs import brightest, fitted
from segprep.types import IGNORE

SHEET, SIDE, GAP, MOST = "sheet.png", 160, 4, 64  # pixels, and how many samples a sheet shows


def save_augmented(
    folder: str | Path, samples: Iterable[tuple[str, Image, Mask]], masks: str | Path | None = None
) -> list[Path]:
    """Write each of *samples*, (stem, image, mask), as ``image_STEM_N.png`` and
    ``mask_STEM_N.png``, N counting from 0, and ``sheet.png`` beside the images.

    Masks are palette PNGs of class ids and go to *masks*, or beside the images. Returns all paths.
    Raises SegprepError: output-exists for a folder that is not empty, write-failed.
    """
    folders = Path(folder), Path(folder if masks is None else masks)
    for target in folders:
        _empty(target)
    written, tiles = list[Path](), list[NDArray[np.uint8]]()
    for number, (stem, image, mask) in enumerate(samples):
        name = f"{stem.replace('/', '_')}_{number}.png"
        written += [folders[0] / f"image_{name}", folders[1] / f"mask_{name}"]
        OutputFolder(folders[0]).write(f"image_{name}", _png(_eight(image)))
        OutputFolder(folders[1]).write(f"mask_{name}", pictures.encode_mask(mask))
        if len(tiles) < MOST:
            tiles.append(tile(_eight(image), mask))
    if tiles:
        written.append(OutputFolder(folders[0]).write(SHEET, _png(sheet(tiles))))
    return written


def tile(image: NDArray[np.uint8], mask: Mask, side: int = SIDE) -> NDArray[np.uint8]:
    """(side, 2 side, 3) uint8: the image, and beside it the image under the colors of its classes;
    ignored pixels are hatched in gray and white.
    """
    height, width = mask.shape
    h, w = fitted(height, width, side, side)
    small = np.asarray(Picture.fromarray(image).resize((w, h), Picture.Resampling.BILINEAR))
    ids = np.asarray(Picture.fromarray(mask).resize((w, h), Picture.Resampling.NEAREST))
    colors = np.frombuffer(pictures.voc_colors(), np.uint8).reshape(256, 3)[ids]
    mixed = np.where((ids > 0)[..., None], small // 2 + colors // 2, small)
    hatch = np.where((np.add.outer(np.arange(h), np.arange(w)) % 8 < 4)[..., None], 225, 150)
    mixed = np.where((ids == IGNORE)[..., None], hatch, mixed).astype(np.uint8)
    result = np.full((side, 2 * side, 3), 255, np.uint8)
    result[:h, :w], result[:h, side : side + w] = small, mixed
    return result


def heat_map(values: NDArray[np.floating], low: float, high: float) -> bytes:
    """A PNG of *values* (H, W) from *low* (dark blue) to *high* (yellow); 0 is black."""
    from matplotlib import colormaps

    shown = colormaps["viridis"]((values - low) / (high - low), bytes=True)[..., :3]
    return _png(np.where((values == 0)[..., None], np.uint8(0), shown))


def sheet(tiles: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """All *tiles* of one size on white, about as wide as high."""
    height, width = tiles[0].shape[:2]
    columns = max(1, round(np.sqrt(len(tiles) * height / width)))
    rows = -(-len(tiles) // columns)
    result = np.full((rows * (height + GAP) + GAP, columns * (width + GAP) + GAP, 3), 255, np.uint8)
    for number, tile in enumerate(tiles):
        top, left = (
            at * (size + GAP) + GAP
            for at, size in zip(divmod(number, columns), (height, width), strict=True)
        )
        result[top : top + height, left : left + width] = tile
    return result


def _eight(image: Image) -> NDArray[np.uint8]:
    """Any image in 8 bits, as it would be shown."""
    if image.dtype == np.uint8:
        return image
    return as_kind(image / brightest(image.dtype) * 255, np.dtype(np.uint8))


def _png(array: NDArray[np.uint8]) -> bytes:
    out = io.BytesIO()
    Picture.fromarray(array).save(out, "PNG")
    return out.getvalue()


def _empty(folder: Path) -> None:
    """Make *folder*. Raises SegprepError unless it is there and empty then."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        occupied = next(iter(sorted(folder.iterdir())), None)
    except (NotADirectoryError, FileExistsError) as error:
        raise UsageError(
            "bad-option", f"{folder} is not a folder", "name another one for the pictures"
        ) from error
    except OSError as error:
        raise write_error(folder, error) from error
    if occupied is not None:
        reason = f"{folder} is not empty ({occupied.name})"
        raise SegprepError("output-exists", reason, "name another folder, or empty this one")
