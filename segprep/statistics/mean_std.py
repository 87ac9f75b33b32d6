"""Mean and standard deviation of the pixels that count, for normalization: ignored pixels (255 in
the mask, as outside DRIVE's field of view) are out.

Two habits, both here: pytorch_segmentation's compute_mean_std takes the mean of the images' means
and of their standard deviations; pooled takes all pixels as one heap. They differ: the first weighs
a small image like a large one, and leaves the spread between images out of the deviation.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segprep.dataset import samples
from segprep.dataset.tree import Tree
from segprep.errors import SegprepError, SourceError
from segprep.imaging.samples import rgb
from segprep.types import IGNORE, Entry

Three = tuple[float, float, float]
Image = NDArray[Any]  # (H, W, 3), uint8, uint16, or float32 in 0..1


@dataclass(frozen=True, slots=True)
class Moments:
    """Per channel, of values in 0..1, over the *pixels* of one image that count."""

    pixels: int
    mean: Three
    std: Three


@dataclass(frozen=True, slots=True)
class PixelStats:
    """Per channel, of values in 0..1.

    *images* had a pixel that counts, *empty* had none and are skipped; *pixels* counted in all.
    """

    image_mean: Three
    image_std: Three
    pooled_mean: Three
    pooled_std: Three
    images: int
    empty: int
    pixels: int


def moments(image: Image, mask: NDArray[np.uint8]) -> Moments | None:
    """The moments of *image* (H, W, 3) where *mask* (H, W) is not 255; None where nothing counts.

    Deviations divide by N, not N - 1. 8-bit images are counted by value, which is exact.
    """
    counted = mask != IGNORE
    pixels = int(np.count_nonzero(counted))
    if not pixels:
        return None
    if image.dtype != np.uint8:
        white = np.iinfo(image.dtype).max if image.dtype.kind in "ui" else 1.0
        values = image[counted].astype(np.float64) / white
        return Moments(pixels, _three(values.mean(0)), _three(values.std(0)))
    levels = np.arange(256) / 255
    whole = pixels == mask.size
    bands = (
        (image[..., band] if whole else image[..., band][counted]).reshape(-1) for band in range(3)
    )
    counts = np.stack([np.bincount(band, minlength=256) for band in bands])
    mean = counts @ levels / pixels
    variance = (counts * np.square(levels - mean[:, None])).sum(1) / pixels
    return Moments(pixels, _three(mean), _three(np.sqrt(variance)))


def combined(parts: Iterable[Moments | None]) -> PixelStats:
    """The moments of all images together.

    Raises SegprepError: empty-list where there is none, all-ignored where no pixel counts.
    """
    every = list(parts)
    counted = [part for part in every if part]
    if not counted:
        code = "all-ignored" if every else "empty-list"
        raise SegprepError(
            code,
            f"none of {len(every)} samples has a pixel that counts",
            "paint something else than 255 (ignored), or fix the list",
        )
    means = np.array([part.mean for part in counted])
    stds = np.array([part.std for part in counted])
    pixels = np.array([part.pixels for part in counted])
    weights = (pixels / pixels.sum())[:, None]
    mean = (weights * means).sum(0)
    variance = (weights * (np.square(stds) + np.square(means - mean))).sum(0)  # within and between
    return PixelStats(
        _three(means.mean(0)),
        _three(stds.mean(0)),
        _three(mean),
        _three(np.sqrt(variance)),
        len(counted),
        len(every) - len(counted),
        int(pixels.sum()),
    )


def read(dataset: Tree, stem: str) -> tuple[Image, NDArray[np.uint8]]:
    """Image (H, W, 3) and mask (H, W) of *stem*, both upright. Raises SourceError."""
    roots = (dataset.root.resolve(),)
    path = dataset.image_path(stem)
    mask_path = roots[0] / dataset.mask_path(stem).relative_to(dataset.root)
    if path is None:
        raise SourceError(
            mask_path, f"no image is called {stem}", "restore it, or remove it", "image-missing"
        )
    path = roots[0] / path.relative_to(dataset.root)
    sample = samples.read(Entry(stem, path, mask_path), roots)
    mask, _ = samples.upright(sample, path)
    return rgb(sample.image, path), mask


def _three(values: NDArray[np.float64]) -> Three:
    red, green, blue = values.tolist()
    return red, green, blue
