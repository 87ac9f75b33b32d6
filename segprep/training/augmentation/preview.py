"""Augmented samples as files: what the network really sees, in pairs of equal names, and all of
them on one sheet.

After Keras' save_to_dir, whose names agree only while two random generators do; here the pair is
written together.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture

from segprep.errors import SegprepError, UsageError
from segprep.files import write_error
from segprep.imaging.image import encode_mask, encode_rgb
from segprep.outputs import OutputFolder
from segprep.reports import contact_sheet, thumbnails
from segprep.training.augmentation.steps import Image, Mask, as_kind
from segprep.training.data.pairs import brightest

SHEET, SIDE, MOST = "sheet.png", 160, 64  # pixels, and how many samples a sheet shows


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
    written, shown = list[Path](), list[tuple[str, Picture.Image]]()
    for number, (stem, image, mask) in enumerate(samples):
        name = f"{stem.replace('/', '_')}_{number}.png"
        eight = as_kind(image / brightest(image.dtype) * 255, np.dtype(np.uint8))
        written.append(OutputFolder(folders[0]).write(f"image_{name}", encode_rgb(eight)))
        written.append(OutputFolder(folders[1]).write(f"mask_{name}", encode_mask(mask)))
        if len(shown) < MOST:
            shown.append((stem, panels(eight, mask)))
    if shown:
        written.append(OutputFolder(folders[0]).write(SHEET, contact_sheet.drawn(shown)))
    return written


def panels(image: Image, *masks: Mask) -> Picture.Image:
    """*image* (H, W, 3) at about SIDE pixels, and for each of *masks* (H, W) the same under the
    colors of its classes, side by side.
    """
    times = max(1, SIDE // max(image.shape[:2]))
    small = thumbnails.small(thumbnails.shown(image), SIDE).repeat(times, 0).repeat(times, 1)
    laid = [thumbnails.laid_over(small, mask) for mask in masks]
    return Picture.fromarray(np.concatenate([small, *laid], axis=1))


def heat_map(values: NDArray[np.floating], low: float, high: float) -> bytes:
    """A PNG of *values* (H, W) from *low* (dark blue) to *high* (yellow); 0 is black."""
    from matplotlib import colormaps

    shown = colormaps["viridis"]((values - low) / (high - low), bytes=True)[..., :3]
    return encode_rgb(np.where((values == 0)[..., None], np.uint8(0), shown))


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
