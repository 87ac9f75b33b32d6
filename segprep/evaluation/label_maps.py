"""One label map as any tool may have stored it: 8- or 16-bit image, palette, ``.npy``, ``.npz``, or
probabilities. Nothing is guessed.

Probabilities are floats: (C, H, W) or (H, W, C) become the class of the highest one (the first
among equals), a single channel becomes class 1 where it exceeds the threshold. Images read as
probabilities count 255 (16-bit: 65,535) as 1.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tokenize import TokenError
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segprep.errors import SourceError
from segprep.evaluation import voc_colors
from segprep.evaluation.truth_values import translated
from segprep.files import MAX_BYTES, read_below
from segprep.imaging import image, png
from segprep.imaging.mask_files import values
from segprep.types import MAX_PIXELS

LOSSLESS = (".png", ".npy", ".npz", ".tif", ".tiff", ".bmp", ".gif")
NUMPY_ERRORS = (  # what NumPy and zipfile raise for damaged files
    OSError, ValueError, EOFError, SyntaxError, TokenError, TypeError, LookupError, AttributeError, ArithmeticError, RuntimeError, NotImplementedError,
    MemoryError, zipfile.BadZipFile, zlib.error, struct.error,
)  # fmt: skip
_MODES = ("L", "P", "1", "I;16", "I;16B", "I;16L", "I")
_KEYS = ("arr_0", "mask", "pred", "prediction", "label", "labels", "probabilities", "softmax")
MOST_IDS = 65_536
RGB_HINT = voc_colors.HINT


@dataclass(frozen=True, slots=True)
class Reading:
    """How label maps are read. *classes*: their number; *threshold*: where given, 8- and 16-bit
    images of two classes are probabilities too. *truth_ids*: what the values of the truth mean,
    value -> class id, where they are not ids themselves.
    """

    classes: int
    threshold: float | None = None
    resize: bool = False
    objects: bool = False
    colors: bool = False
    truth_ids: Mapping[int, int] | None = None


def read(path: Path, roots: tuple[Path, ...], how: Reading, *, truth: bool = False) -> NDArray[Any]:
    """The class ids (H, W) at *path*, any type of integer. Raises SourceError."""
    if how.objects and not truth:
        return (read(path, roots, Reading(MOST_IDS), truth=True) > 0).view(np.uint8)
    data = read_below(path, roots)
    if path.suffix.lower() in (".npy", ".npz"):
        labels = _ids(_array(data, path), path, how, truth)
    elif how.colors and not truth:
        with image.opened(data, path, MAX_PIXELS) as picture:
            return voc_colors.ids(picture, path, how.classes)
    else:
        labels = pixels(data, path)
        if how.threshold is not None and not truth:
            return (labels > how.threshold * np.iinfo(labels.dtype).max).view(np.uint8)
    if truth and how.truth_ids is not None:
        return translated(labels, how.truth_ids, path)
    return labels


def pixels(data: bytes, path: Path) -> NDArray[Any]:
    """The pixel values (H, W) of an image, uint8 or uint16; indices of a palette, never luminance.

    Raises SourceError.
    """
    plain = png.decode(data, MAX_PIXELS)
    if plain is not None:
        return np.ascontiguousarray(plain)
    with image.opened(data, path, MAX_PIXELS) as picture:
        gray = _gray(picture, data, path)
        if gray is not None:
            return gray
        _refuse(picture, data, path)
        array = np.asarray(picture)
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


def _gray(picture: Image.Image, data: bytes, path: Path) -> NDArray[np.uint8] | None:
    """The one channel of an image that stores gray levels as equal red, green and blue, or beside an
    opaque alpha; None for any other image. Raises SourceError for 16 bits per channel, of which
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


def _refuse(picture: Image.Image, data: bytes, path: Path) -> None:
    """Raise SourceError for an open image that holds no single map of class ids, or one that can be
    read in two ways.
    """
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
        raise SourceError(path, "holds several frames", "save one map per file", "image-frames")
    if picture.format == "GIF":
        try:
            values(data, path, [])
        except SourceError as error:
            raise SourceError(
                path, error.reason, "save it as PNG with class ids", error.code
            ) from error


def _array(data: bytes, path: Path) -> NDArray[Any]:
    try:
        if path.suffix.lower() == ".npy":
            return np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            name = (
                next(iter(names))
                if len(names) == 1
                else next((key for key in _KEYS if key in names), None)
            )
            if name is None:
                reason = (
                    f"holds {len(names)} arrays ({', '.join(list(names)[:5])}); which one is meant"
                    " is unknown"
                )
                raise SourceError(
                    path, reason, f"save one array, or name it {_KEYS[2]}", "bad-prediction"
                )
            if names[name].file_size > 4 * MAX_BYTES:
                raise SourceError(
                    path,
                    f"unpacks to {names[name].file_size} bytes",
                    "save class ids instead of probabilities",
                    "file-too-large",
                )
            return np.lib.format.read_array(
                io.BytesIO(archive.read(names[name])), allow_pickle=False
            )
    except SourceError:
        raise
    except NUMPY_ERRORS as error:
        raise SourceError(
            path,
            f"is not a readable NumPy array: {error}",
            "write it again with numpy.save",
            "bad-prediction",
        ) from error


def _ids(values: NDArray[Any], path: Path, how: Reading, truth: bool) -> NDArray[Any]:
    """Class ids (H, W) of an array: ids themselves, or probabilities."""
    kind, single = values.dtype.kind, _single(values)
    if kind in "uib":
        if single is None:
            raise SourceError(
                path,
                f"is {values.dtype} of shape {values.shape}; class ids are (H, W)",
                RGB_HINT,
                "bad-prediction",
            )
        return single.view(np.uint8) if kind == "b" else single
    if kind != "f":
        raise SourceError(
            path,
            f"holds {values.dtype}; {'the truth has' if truth else 'class ids are'} integers",
            "save it as integers: a.astype('uint8')",
            "bad-prediction",
        )
    if values.size and np.isnan(values.max()):
        raise SourceError(
            path,
            f"{int(np.isnan(values).sum())} {'values' if truth else 'probabilities'} are NaN",
            "the model diverged or divided by zero there; predict again",
            "nan-prediction",
        )
    whole = None if single is None else _whole(single)
    if whole is not None and (truth or how.classes != 2 or whole.max(initial=0) > 1):
        return whole
    if truth:
        raise SourceError(
            path,
            f"holds {values.dtype} with fractions; the truth has integers",
            "save it as integers: a.astype('uint8')",
            "bad-prediction",
        )
    return _likeliest(values, single, path, how)


def _single(values: NDArray[Any]) -> NDArray[Any] | None:
    """*values* as (H, W): of (1, H, W) or (H, W, 1) the only channel; None of any other shape."""
    if values.ndim == 3 and 1 in (values.shape[0], values.shape[-1]):
        return values[0] if values.shape[0] == 1 else values[..., 0]
    return values if values.ndim == 2 else None


def _whole(values: NDArray[Any]) -> NDArray[np.int64] | None:
    """Floats (H, W) that are all whole numbers of a class id's range, as integers; else None."""
    if not values.size or values.min() < 0 or values.max() >= MOST_IDS:
        return None
    whole = values.astype(np.int64)
    return whole if bool((whole == values).all()) else None


def _likeliest(
    values: NDArray[Any], single: NDArray[Any] | None, path: Path, how: Reading
) -> NDArray[Any]:
    """The class of the highest of several probabilities, or class 1 above the threshold."""
    shape = values.shape
    if values.ndim == 3 and how.classes > 1 and how.classes in (shape[0], shape[-1]):
        if shape[0] == shape[-1]:
            raise SourceError(
                path,
                f"shape {shape}: either end may be the {how.classes} classes",
                "save class ids (argmax) instead",
                "bad-prediction",
            )
        return cast("NDArray[Any]", values.argmax(0 if shape[0] == how.classes else -1))
    if single is None:
        raise SourceError(
            path,
            f"probabilities of shape {shape} for {how.classes} classes",
            "expected (C, H, W), (H, W, C) or, for 2 classes, (H, W)",
            "bad-prediction",
        )
    return _thresholded(single, path, how)


def _thresholded(single: NDArray[Any], path: Path, how: Reading) -> NDArray[np.uint8]:
    low, high = (float(single.min()), float(single.max())) if single.size else (0.0, 0.0)
    if how.classes != 2 or low < 0 or high > 1:
        what = f"one float per pixel from {low:g} to {high:g}, with {how.classes} classes"
        raise SourceError(
            path,
            f"{what}, is not a probability of class 1",
            "save ids as integers, logits after a sigmoid",
            "bad-prediction",
        )
    return (single > (0.5 if how.threshold is None else how.threshold)).view(np.uint8)


def fit(found: NDArray[Any], shape: tuple[int, ...], path: Path, how: Reading) -> NDArray[Any]:
    """*found* (h, w) if it has the *shape* (H, W) of the truth, or scaled to it (nearest pixel
    center) where that was asked for. Raises SourceError.
    """
    if found.shape == shape:
        return found
    if how.resize and found.size and shape[0] and shape[1]:
        rows, columns = (
            ((np.arange(new) + 0.5) * old / new).astype(np.intp)
            for new, old in zip(shape, found.shape, strict=True)
        )
        return found[np.ix_(rows, columns)]
    turned = found.shape == shape[::-1]
    reason = (
        f"the prediction is {found.shape[1]}x{found.shape[0]}, its truth {shape[1]}x{shape[0]}"
        " pixels"
    )
    why = (
        "width and height are swapped: was the image turned by its EXIF orientation? predict on"
        " the dataset's own images"
    ) if turned else (
        "predict at the size of the image, or scale here with --resize nearest"
    )  # fmt: skip
    raise SourceError(path, reason, why, "size-mismatch")
