"""Mean and standard deviation of the pixels that count, for normalization: ignored pixels (255 in
the mask, as outside DRIVE's field of view) are out.

Two habits, both here: pytorch_segmentation's compute_mean_std takes the mean of the images' means
and of their standard deviations; pooled takes all pixels as one heap. They differ: the first weighs
a small image like a large one, and leaves the spread between images out of the deviation.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segprep.dataset import tree
from segprep.errors import SegprepError
from segprep.training.augmentation.steps import Image, Mask, brightest
from segprep.training.data.pairs import read_pair
from segprep.types import IGNORE

Three = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class PixelStats:
    """Per channel, of values in 0..1.

    *images* had a pixel that counts, *empty* had none and are excluded; *pixels* counted in all.
    """

    image_mean: Three
    image_std: Three
    pooled_mean: Three
    pooled_std: Three
    images: int
    empty: int
    pixels: int


def pixel_stats(samples: Iterable[tuple[Image, Mask]]) -> PixelStats:
    """Over *samples*, images (H, W, 3) with their masks (H, W); one at a time is in memory.
    Deviations divide by N, not N - 1.

    Raises SegprepError: empty-list where there is no sample, all-ignored where no pixel counts.
    """
    means, stds, counts, empty = (
        list[NDArray[np.float64]](),
        list[NDArray[np.float64]](),
        list[int](),
        0,
    )
    for image, mask in samples:
        values = image[mask != IGNORE].astype(np.float64) / brightest(image.dtype)
        if len(values):
            means.append(values.mean(0))
            stds.append(values.std(0))
            counts.append(len(values))
        else:
            empty += 1
    if not counts:
        code = "all-ignored" if empty else "empty-list"
        raise SegprepError(
            code,
            f"none of {empty} samples has a pixel that counts",
            "paint something else than 255 (ignored), or fix the list",
        )
    weights = np.array(counts)[:, None] / sum(counts)
    mean = (weights * means).sum(0)
    variance = (weights * (np.square(stds) + np.square(means - mean))).sum(
        0
    )  # within the images, and between them
    return PixelStats(
        _three(np.mean(means, axis=0)),
        _three(np.mean(stds, axis=0)),
        _three(mean),
        _three(np.sqrt(variance)),
        len(counts),
        empty,
        sum(counts),
    )


def dataset_stats(dataset: str | Path, stems: Iterable[str] | None = None) -> PixelStats:
    """:func:`pixel_stats` of the tree at or below *dataset*: of *stems*, else of its train list,
    else of trainval, else of all. Raises SegprepError.
    """
    place = tree.find(Path(dataset))
    lists = place.lists()
    chosen = (
        (lists.get("train") or lists.get("trainval") or place.stems()) if stems is None else stems
    )
    return pixel_stats(
        (pair.image, pair.mask) for pair in (read_pair(place, stem) for stem in chosen)
    )


def _three(values: NDArray[np.float64]) -> Three:
    red, green, blue = values.tolist()
    return red, green, blue
