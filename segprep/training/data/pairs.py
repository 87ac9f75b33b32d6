"""Tree to arrays to tensors: reading pairs of image and mask, their resize factor, windows
of one size, normalization.

Every sample is a function of (seed, epoch, position) alone, so that batches do not depend on the
number of loader workers, and a resumed run sees what an uninterrupted one would have seen.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from segprep.dataset.tree import IMAGES, Tree
from segprep.errors import SegprepError, SourceError
from segprep.files import read_below
from segprep.imaging import image
from segprep.imaging.samples import rgb
from segprep.types import IGNORE

GRAY = 128
LUMA = (0.299, 0.587, 0.114)  # of red, green and blue, as Pillow makes gray


@dataclass(frozen=True, slots=True, eq=False)
class ImagePair:
    """An image (H, W, 3), its mask (H, W) of class ids, and its *size* (H, W) on disk."""

    stem: str
    image: NDArray[Any]
    mask: NDArray[np.uint8]
    size: tuple[int, int]


@dataclass(frozen=True, slots=True)
class InputSpec:
    """How an image becomes a tensor; kept in the checkpoint.

    *size* is the side of a window. *scale* is the resize factor of all images, or None: each is
    letterboxed into the window. *mean* and *std* are per channel, of values in 0..1. *stretch*
    (without a scale) gives every image the window's size, whatever its shape. *channels*: 3, or 1
    for gray. *corner*: a letterboxed image lies in the upper left corner, not in the middle; what
    lies around it has the value *gray*.
    """

    size: int
    scale: float | None
    mean: tuple[float, ...]
    std: tuple[float, ...]
    stretch: bool = False
    channels: int = 3
    corner: bool = False
    gray: int = GRAY

    def worked(self, height: int, width: int) -> tuple[int, int]:
        """(h, w) to which an image of (height, width) is resized."""
        if self.scale is None and self.stretch:
            return self.size, self.size
        if self.scale is None:
            return fitted(height, width, self.size, self.size)
        return max(1, round(height * self.scale)), max(1, round(width * self.scale))


def fitted(height: int, width: int, rows: int, columns: int) -> tuple[int, int]:
    """(h, w): the largest image of the shape (*height*, *width*) that fits (*rows*, *columns*). No
    side falls below 1.

    >>> fitted(584, 565, 512, 512), fitted(375, 500, 512, 512), fitted(1, 999, 512, 512)
    ((512, 495), (384, 512), (1, 512))
    """
    factor = min(rows / height, columns / width)
    return max(1, int(height * factor)), max(1, int(width * factor))


def read_pair(tree: Tree, stem: str, classes: int | None = None) -> ImagePair:
    """The image and mask of *stem*, upright, at their own size.

    Raises SourceError: missing, damaged, sizes differ, ids outside *classes*.
    """
    roots = (tree.root.resolve(),)
    mask = read_truth(tree, stem, classes)
    if (path := tree.image_path(stem)) is None:
        reason = "no image has this name"
        hint = "restore it, or take the sample out of the lists"
        raise SourceError(tree.root / IMAGES / f"{stem}.*", reason, hint, "image-missing")
    path = roots[0] / path.relative_to(tree.root)
    array = rgb(read_below(path, roots), path)
    if array.shape[:2] != mask.shape:
        sizes = f"image {array.shape[1]}x{array.shape[0]}, mask {mask.shape[1]}x{mask.shape[0]}"
        raise SourceError(path, sizes, "make the mask again from this image", "size-mismatch")
    return ImagePair(stem, array, mask, mask.shape)


def read_truth(tree: Tree, stem: str, classes: int | None = None) -> NDArray[np.uint8]:
    """The mask of *stem*, (H, W) uint8. Raises SourceError, also for ids from *classes* to 254."""
    roots = (tree.root.resolve(),)
    path = roots[0] / tree.mask_path(stem).relative_to(tree.root)
    mask = image.decode_mask(read_below(path, roots), path)
    limit = IGNORE if classes is None else classes
    if wrong := [value for value in image.histogram(mask) if value >= limit and value != IGNORE]:
        reason = f"pixel value {wrong[0]} is not a class (0 to {limit - 1}, or 255)"
        raise SourceError(path, reason, "fix the mask or the class list", "unknown-value")
    return np.ascontiguousarray(mask.astype(np.uint8))


def raise_bad(bad: Sequence[SourceError]) -> None:
    """Raise one SegprepError for all *bad* files, if any."""
    if bad:
        more = f"; and {len(bad) - 3} more" if len(bad) > 3 else ""
        reason = f"{len(bad)} samples cannot be used: {'; '.join(map(str, bad[:3]))}{more}"
        raise SegprepError(bad[0].code, reason, bad[0].hint) from bad[0]


def scaled(pair: ImagePair, view: InputSpec) -> ImagePair:
    """*pair* at the scale of *view*: the image by area means, the mask by nearest."""
    height, width = pair.image.shape[:2]
    h, w = view.worked(height, width)
    if (h, w) == (height, width):
        return pair
    tensor = torch.from_numpy(pair.image.astype(np.float32)).permute(2, 0, 1)[None]
    how = "area" if h <= height and w <= width else "bilinear"
    small = functional.interpolate(tensor, (h, w), mode=how)
    array = small[0].permute(1, 2, 0).numpy()
    array = array if pair.image.dtype == np.float32 else np.rint(array).astype(pair.image.dtype)
    return ImagePair(pair.stem, np.ascontiguousarray(array), nearest(pair.mask, h, w), pair.size)


def at_scale(picture: NDArray[Any], view: InputSpec) -> NDArray[Any]:
    """*picture* (H, W, 3) by itself, as :func:`scaled` has it."""
    size = picture.shape[0], picture.shape[1]
    return scaled(ImagePair("", picture, np.broadcast_to(np.uint8(0), size), size), view).image


def nearest(mask: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """*mask* at (height, width) by the value at the center of each new pixel."""
    rows = ((np.arange(height) + 0.5) * mask.shape[0] / height).astype(np.intp)
    columns = ((np.arange(width) + 0.5) * mask.shape[1] / width).astype(np.intp)
    return np.ascontiguousarray(mask[rows[:, None], columns])


def brightest(dtype: np.dtype[Any]) -> float:
    """The value that becomes 1: the largest of an integer kind, 1 for floats."""
    return float(np.iinfo(dtype).max) if dtype.kind == "u" else 1.0


def moments(
    pairs: Iterable[ImagePair], channels: int = 3
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation per channel over all pixels of *pairs* that are not ignored (all
    pixels, if every one is), of values in 0..1.
    """
    total, squares, count = np.zeros(channels), np.zeros(channels), 0
    for pair in pairs:
        valid = pair.mask != IGNORE
        values = (pair.image[valid] if valid.any() else pair.image.reshape(-1, 3)).astype(
            np.float64
        ) / brightest(pair.image.dtype)
        values = values @ np.array(LUMA)[:, None] if channels == 1 else values
        total, squares = total + values.sum(0), squares + (values**2).sum(0)
        count += len(values)
    mean = total / max(count, 1)
    std = np.sqrt(np.maximum(squares / max(count, 1) - mean**2, 0))
    return tuple(mean.tolist()), tuple(np.where(std > 1e-6, std, 1.0).tolist())


def padding(view: InputSpec, dtype: np.dtype[Any]) -> NDArray[np.float32]:
    """(3,) what lies outside an image, in 0..1: gray, or the mean where its range is unknown."""
    if dtype == np.uint8:
        return np.full(3, view.gray / 255, np.float32)
    return np.full(3, view.mean, np.float32)


def normalized(values: Tensor, view: InputSpec) -> Tensor:
    """(…, 3, H, W) of values in 0..1, as the network sees them: (…, channels, H, W)."""
    if view.channels == 1:
        values = (values * torch.tensor(LUMA)[:, None, None]).sum(-3, keepdim=True)
    return (values - torch.tensor(view.mean)[:, None, None]) / torch.tensor(view.std)[:, None, None]
