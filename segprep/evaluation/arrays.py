"""NumPy files as label maps: class ids themselves, or probabilities of classes."""

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

from segprep.errors import SourceError
from segprep.evaluation import voc_colors
from segprep.files import MAX_BYTES

NUMPY_ERRORS = (  # what NumPy and zipfile raise for damaged files
    OSError, ValueError, EOFError, SyntaxError, TokenError, TypeError, LookupError, AttributeError,
    ArithmeticError, RuntimeError, NotImplementedError, MemoryError, zipfile.BadZipFile,
    zlib.error, struct.error,
)  # fmt: skip
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


def load(data: bytes, path: Path) -> NDArray[Any]:
    """The one array of a .npy or .npz file, any shape and type. Raises SourceError."""
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
            if names[name].file_size > 2 * MAX_BYTES:
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


def ids(values: NDArray[Any], path: Path, how: Reading, truth: bool) -> NDArray[Any]:
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
        if kind == "b" and how.classes > 2 and not truth:
            raise SourceError(
                path,
                f"holds true and false only, there are {how.classes} classes",
                "save the class ids: logits.argmax(axis)",
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
    integers = None if single is None else whole(single)
    if integers is not None and (truth or how.classes != 2 or integers.max(initial=0) > 1):
        return integers
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


def whole(values: NDArray[Any]) -> NDArray[np.uint16] | None:
    """Floats (H, W) that are all whole numbers of a class id's range, as integers; else None."""
    if not values.size or not (values.min() >= 0 and values.max() < MOST_IDS):  # NaN: neither
        return None
    integers = np.empty(values.shape, np.uint16)
    for old, new in zip(values, integers, strict=True):
        new[...] = old
        if not (new == old).all():
            return None
    return integers


def _likeliest(
    values: NDArray[Any], single: NDArray[Any] | None, path: Path, how: Reading
) -> NDArray[Any]:
    """The class of the highest of several probabilities, or class 1 above the threshold."""
    if values.ndim == 4 and values.shape[0] == 1:  # a batch of one image
        values = values[0]
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
            "expected (C, H, W), (H, W, C), (1, C, H, W) or, for 2 classes, (H, W)",
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
