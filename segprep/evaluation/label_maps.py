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
from segprep.files import MAX_BYTES, read_below
from segprep.imaging import image, png
from segprep.imaging.lookup import FLAT_VOC
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
    images of two classes are probabilities too.
    """

    classes: int
    threshold: float | None = None
    resize: bool = False
    objects: bool = False
    colours: bool = False


def read(path: Path, roots: tuple[Path, ...], how: Reading, *, truth: bool = False) -> NDArray[Any]:
    """The class ids (H, W) at *path*, any type of integer. Raises SourceError."""
    if how.objects and not truth:
        return (read(path, roots, Reading(MOST_IDS), truth=True) > 0).view(np.uint8)
    data = read_below(path, roots)
    if path.suffix.lower() in (".npy", ".npz"):
        found = _array(data, path)
        return _ids(found, path, how, truth)
    if how.colours and not truth:
        with image.opened(data, path, MAX_PIXELS) as picture:
            return voc_colors.ids(picture, path, how.classes)
    found = pixels(data, path)
    if how.threshold is None or truth:
        return found
    return (found > how.threshold * np.iinfo(found.dtype).max).view(np.uint8)


def pixels(data: bytes, path: Path) -> NDArray[Any]:
    """The pixel values (H, W) of an image, uint8 or uint16; indices of a palette, never luminance.

    Raises SourceError.
    """
    plain = png.decode(data, MAX_PIXELS)
    if plain is not None:
        return np.ascontiguousarray(plain)
    with image.opened(data, path, MAX_PIXELS) as picture:
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
            f"is no readable NumPy array: {error}",
            "write it again with numpy.save",
            "bad-prediction",
        ) from error


def _ids(found: NDArray[Any], path: Path, how: Reading, truth: bool) -> NDArray[Any]:
    """Class ids (H, W) of an array: ids themselves, or probabilities."""
    kind = found.dtype.kind
    if kind in "uib":
        flat = (
            found[0]
            if found.ndim == 3 and found.shape[0] == 1
            else found[..., 0]
            if found.ndim == 3 and found.shape[-1] == 1
            else found
        )
        if flat.ndim != 2:
            raise SourceError(
                path,
                f"is {found.dtype} of shape {found.shape}; class ids are (H, W)",
                RGB_HINT,
                "bad-prediction",
            )
        return flat.view(np.uint8) if kind == "b" else flat
    if kind != "f" or truth:
        raise SourceError(
            path,
            f"holds {found.dtype}; {'the truth has' if truth else 'class ids are'} integers",
            "save it as integers: a.astype('uint8')",
            "bad-prediction",
        )
    if found.size and np.isnan(found.max()):
        count = int(np.isnan(found).sum())
        raise SourceError(
            path,
            f"{count} probabilities are NaN",
            "the model diverged or divided by zero there; predict again",
            "nan-prediction",
        )
    if found.ndim == 3 and how.classes > 1 and how.classes in (found.shape[0], found.shape[-1]):
        if found.shape[0] == found.shape[-1]:
            raise SourceError(
                path,
                f"shape {found.shape}: either end may be the {how.classes} classes",
                "save class ids (argmax) instead",
                "bad-prediction",
            )
        return cast("NDArray[Any]", found.argmax(0 if found.shape[0] == how.classes else -1))
    single = (
        found[0]
        if found.ndim == 3 and found.shape[0] == 1
        else found[..., 0]
        if found.ndim == 3 and found.shape[-1] == 1
        else found
    )
    if single.ndim != 2:
        raise SourceError(
            path,
            f"probabilities of shape {found.shape} for {how.classes} classes",
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
            f"{what}, is no probability of class 1",
            "save ids as integers, logits after a sigmoid",
            "bad-prediction",
        )
    return (single > (0.5 if how.threshold is None else how.threshold)).view(np.uint8)


def fit(found: NDArray[Any], shape: tuple[int, ...], path: Path, how: Reading) -> NDArray[Any]:
    """*found* (h, w) if it has the *shape* (H, W) of the truth, or scaled to it (nearest pixel
    centre) where that was asked for. Raises SourceError.
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
    why = "width and height are swapped: was the image turned by its EXIF orientation? predict on the dataset's own images" if turned else (
        "predict at the size of the image, or scale here with --resize nearest"
    )  # fmt: skip
    raise SourceError(path, reason, why, "size-mismatch")


def cause(seen: Mapping[int, int], wrong: Mapping[int, int], classes: int) -> str:
    """Why a prediction holds the values *wrong* (value -> pixels) among *seen*, and what to do
    about it.
    """
    present = set(seen)
    if set(wrong) == {255}:
        if present <= {0, 255} and classes == 2:
            return "0 and 255 only: a black and white picture; read it with --threshold 0.5"
        return (
            "255 means ignored, which a prediction cannot be: predict a class there, or count these"
            " pixels as errors with --invalid count"
        )
    if present & {38, 75, 113} and present - {0} <= (FLAT_VOC - {0, 255}) | {220}:
        turn = (
            "turn them back with --colours voc"
            if voc_colors.fits(present, classes)
            else "write the ids themselves"
        )
        return f"greys of a VOC palette that was flattened; {turn}"
    if max(wrong) == classes and len(wrong) == 1 and 0 not in present:
        return f"ids count from 1 here; subtract 1, or give --classes with {classes + 1} names"
    if (len(present) > 24 and max(wrong) > 2 * classes) or (classes == 2 and max(wrong) == 255):
        return (
            "many different values: probabilities of 2 classes as grey levels (read them with"
            " --threshold 0.5), colours, or a mask saved as JPEG; write class ids"
        )
    return (
        f"were more than {classes} classes trained? give the list with --classes; --invalid count"
        " counts such pixels as errors"
    )
