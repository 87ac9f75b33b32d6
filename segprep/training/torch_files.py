"""Files that torch.save wrote: tensors and plain values; code in them is never run."""

import argparse
import io
import struct
import warnings
import zipfile
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from segprep.errors import SegprepError

# what torch.load raises for damaged files: missing and wrong values, impossible sizes
_TOO_LARGE = (OverflowError, MemoryError)
_CUT = (EOFError, zipfile.BadZipFile, struct.error)
BROKEN = (RuntimeError, ValueError, LookupError, AttributeError, TypeError, *_CUT, *_TOO_LARGE)


def unpacked(data: bytes, path: Path, *, largest: int, damaged: str, refused: str) -> Any:
    """What *data*, the file at *path*, holds, on the CPU.

    Raises SegprepError: file-too-large (it unpacks to more than *largest* bytes); the code
    *damaged*; the code *refused* for one with more than tensors and plain values.
    """
    hint = "use a file that torch.save wrote, of tensors by name, or one of segprep's checkpoints"
    try:
        if zipfile.is_zipfile(io.BytesIO(data)):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                size = sum(entry.file_size for entry in archive.infolist())
            if size > largest:
                raise SegprepError("file-too-large", f"{path} unpacks to {size} bytes", hint)
        # remarks on pickle protocols help nobody; a tutorial keeps its command line beside the
        # weights: plain values in a Namespace
        plain = torch.serialization.safe_globals([argparse.Namespace])
        with warnings.catch_warnings(action="ignore"), plain:
            return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        if "GLOBAL" in str(error):  # the name of a function or class
            reason = f"{path} holds more than tensors and plain values; it was not run"
            raise SegprepError(refused, reason, hint) from error
        raise SegprepError(damaged, f"{path} is damaged, or no file of torch.save", hint) from error
    except BROKEN as error:
        reason = f"{path} is damaged, or no file of torch.save ({type(error).__name__})"
        raise SegprepError(damaged, reason, hint) from error
