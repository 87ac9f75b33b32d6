"""One label map as any tool may have stored it: 8- or 16-bit image, palette, ``.npy``, ``.npz``, or
probabilities. Nothing is guessed.

Probabilities are floats: (C, H, W) or (H, W, C) become the class of the highest one (the first
among equals), a single channel becomes class 1 where it exceeds the threshold. Images read as
probabilities count 255 (16-bit: 65,535) as 1.
"""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from segprep import kernel
from segprep.errors import SourceError
from segprep.evaluation import arrays, voc_colors
from segprep.evaluation.arrays import MOST_IDS, RGB_HINT, Reading
from segprep.evaluation.truth_values import translated
from segprep.files import read_below
from segprep.imaging import png
from segprep.metrics.counting import Tally, tally
from segprep.types import MAX_PIXELS

if TYPE_CHECKING:
    from PIL import Image

LOSSLESS = (".png", ".npy", ".npz", ".tif", ".tiff", ".bmp", ".gif")
_MODES = ("L", "P", "1", "I;16", "I;16B", "I;16L", "I", "F")


def read(path: Path, roots: tuple[Path, ...], how: Reading, *, truth: bool = False) -> NDArray[Any]:
    """The class ids (H, W) at *path*, any type of integer. Raises SourceError."""
    return held(read_below(path, roots), path, how, truth=truth)


def held(data: bytes, path: Path, how: Reading, *, truth: bool = False) -> NDArray[Any]:
    """What :func:`read` gives of a file that holds *data*. Raises SourceError."""
    if how.objects and not truth:
        return (held(data, path, Reading(MOST_IDS), truth=True) > 0).view(np.uint8)
    if path.suffix.lower() in (".npy", ".npz"):
        labels = arrays.ids(arrays.load(data, path), path, how, truth)
    elif how.colors and not truth:
        with _opened(data, path) as picture:
            return voc_colors.ids(picture, path, how.classes)
    else:
        labels = pixels(data, path)
        if how.threshold is not None and not truth:
            return (labels > how.threshold * np.iinfo(labels.dtype).max).view(np.uint8)
    if truth and how.truth_ids is not None:
        return translated(labels, how.truth_ids, path)
    return labels


def counted(truth: bytes, pred: bytes, paths: tuple[Path, Path], how: Reading) -> Tally | None:
    """The pairs of values of two files, at *paths*, that hold plain PNG of class ids of one size:
    counted where they were inflated, without copies. None of others.
    """
    if how != Reading(how.classes, resize=how.resize):
        return None
    if any(path.suffix.lower() in (".npy", ".npz") for path in paths):
        return None
    if kernel.compiled is None:
        return _of_rows(*(png.filtered_rows(data, MAX_PIXELS) for data in (truth, pred)))
    first, second = (png.deflated(data, MAX_PIXELS) for data in (truth, pred))
    if first is None or second is None or first[:2] != second[:2]:
        return None
    counts = kernel.compiled.joint_streams(first[2], second[2], *first[:2])
    return None if counts is None else Tally.of_bytes(counts)


def _of_rows(truth: NDArray[np.uint8] | None, pred: NDArray[np.uint8] | None) -> Tally | None:
    """The pairs of two maps whose rows (H, 1 + W) are led by the number of their filter, which is 0
    for all: these are counted, too, and subtracted. None of others.
    """
    if truth is None or pred is None or truth.shape != pred.shape:
        return None
    if truth[:, 0].any() or pred[:, 0].any():
        return None
    counts = tally(truth, pred)
    left = int(counts.pixels[0]) - len(truth)  # of two zeros, the first pair
    if not left:
        return Tally(counts.truth[1:], counts.pred[1:], counts.pixels[1:])
    counts.pixels[0] = left
    return counts


def _opened(data: bytes, path: Path) -> "AbstractContextManager[Image.Image]":
    """The image that *data* hold; a PNG of several frames, or whose checksums do not hold, is
    refused with SourceError: Pillow reads both without a word.
    """
    from segprep.imaging import image, mask_opening

    careful = mask_opening.opened if data.startswith(png.SIGNATURE) else image.opened
    return careful(data, path, MAX_PIXELS)


def pixels(data: bytes, path: Path) -> NDArray[Any]:
    """The pixel values (H, W) of an image, uint8 or uint16; indices of a palette, never luminance.

    Raises SourceError.
    """
    plain = png.decode(data, MAX_PIXELS)
    if plain is not None:
        return np.ascontiguousarray(plain)
    with _opened(data, path) as picture:
        gray = _gray(picture, data, path)
        if gray is not None:
            return gray
        _refuse(picture, data, path)
        array = np.asarray(picture)
    if array.dtype.kind == "f":
        integers = arrays.whole(array)
        if integers is None:
            hint = "save class ids as 8- or 16-bit PNG, probabilities as .npy"
            raise SourceError(path, "holds numbers with fractions", hint, "image-unsupported")
        return integers
    if array.dtype.itemsize == 1:
        return array.astype(np.uint8, copy=False)
    if array.size and (int(array.min()) < 0 or int(array.max()) > 65_535):
        raise SourceError(
            path,
            f"holds values from {array.min()} to {array.max()}",
            "class ids are 0 to 65535",
            "bad-prediction",
        )
    return array.astype(np.uint16)


def _gray(picture: "Image.Image", data: bytes, path: Path) -> NDArray[np.uint8] | None:
    """The one channel of an image that stores gray levels as equal red, green and blue, or beside
    an opaque alpha; None for any other image. Raises SourceError for 16 bits per channel, of which
    Pillow would keep 8.
    """
    if picture.mode not in ("RGB", "RGBA", "LA"):
        return None
    if picture.format == "PNG" and data[24] == 16:
        raise SourceError(
            path,
            "has 16 bits per channel in several channels",
            "save class ids as PNG with one channel",
            "image-unsupported",
        )
    channels = np.asarray(picture)
    colors = channels[..., :3] if picture.mode != "LA" else channels[..., :1]
    opaque = picture.mode == "RGB" or bool((channels[..., -1] == 255).all())
    equal = opaque and bool((colors == colors[..., :1]).all())
    return np.ascontiguousarray(colors[..., 0]) if equal else None


def _refuse(picture: "Image.Image", data: bytes, path: Path) -> None:
    """Raise SourceError for an open image that holds no single map of class ids, or one that can be
    read in two ways.
    """
    from segprep.imaging import image
    from segprep.imaging.mask_files import values

    if picture.mode in ("RGB", "RGBA", "RGBX", "CMYK", "PA", "LA"):
        raise SourceError(path, voc_colors.described(picture), RGB_HINT, "mask-is-colour")
    if picture.mode not in _MODES:
        raise SourceError(
            path,
            f"has pixel type {picture.mode}",
            "save class ids as 8- or 16-bit PNG",
            "image-unsupported",
        )
    if picture.format != "PNG" and image.header(data, path).several:
        reason = "holds several frames or pages; a mask has one"
        raise SourceError(path, reason, "save one map per file", "mask-frames")
    if picture.format == "GIF":
        try:
            values(data, path, [])
        except SourceError as error:
            raise SourceError(
                path, error.reason, "save it as PNG with class ids", error.code
            ) from error


def fit(labels: NDArray[Any], shape: tuple[int, ...], path: Path, how: Reading) -> NDArray[Any]:
    """*labels* (h, w) if it has the *shape* (H, W) of the truth, or scaled to it (nearest pixel
    center) where that was asked for. Raises SourceError.
    """
    if labels.shape == shape:
        return labels
    if how.resize and labels.size and shape[0] and shape[1]:
        rows, columns = (
            ((np.arange(new) + 0.5) * old / new).astype(np.intp)
            for new, old in zip(shape, labels.shape, strict=True)
        )
        return labels[np.ix_(rows, columns)]
    turned = labels.shape == shape[::-1]
    reason = (
        f"the prediction is {labels.shape[1]}x{labels.shape[0]}, its truth {shape[1]}x{shape[0]}"
        " pixels"
    )
    why = (
        "width and height are swapped: was the image turned by its EXIF orientation? predict on"
        " the dataset's own images"
    ) if turned else (
        "predict at the size of the image, or scale here with --resize nearest"
    )  # fmt: skip
    raise SourceError(path, reason, why, "size-mismatch")
