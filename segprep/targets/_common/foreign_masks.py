"""Masks that come from another folder than the dataset, for its samples."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segprep.dataset import samples
from segprep.errors import SourceError
from segprep.files import read_below
from segprep.imaging import image
from segprep.types import IGNORE
from segprep.writer import LabeledImage


def read(path: Path, folder: Path, sample: LabeledImage, limit: int) -> NDArray[np.uint8]:
    """The mask at *path* below *folder*: (H, W) class ids of *sample*'s size.

    Raises SourceError for another size, or a value that no class has.
    """
    mask = image.decode_mask(read_below(path, (folder,)), path, limit)
    if mask.shape != sample.mask.shape:
        raise SourceError(
            path,
            f"is {mask.shape[1]}x{mask.shape[0]}, the image {sample.mask.shape[1]}x"
            f"{sample.mask.shape[0]} pixels",
            "predict for this dataset",
            "size-mismatch",
        )
    if mask.max(initial=0) > IGNORE:
        reason = f"holds values up to {mask.max()}; class ids end at 255"
        raise SourceError(path, reason, "predict masks of class ids", "unknown-value")
    ids = mask.astype(np.uint8)
    if sample.classes:
        samples.check_ids(ids, sample.classes, path)
    return ids
