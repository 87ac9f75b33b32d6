"""Masks that pack class and object into one PNG: BDD100K, KITTI, SYNTHIA, and ids of class · 1000.

    src/
      NAME.png          bdd100k    R = class, G = attributes, B · 256 + A = object
                        kitti      16 bits: class · 256 + object
                        thousand   16 or 8 bits: class · 1000 + object, a plain class below 1000
                        synthia    16-bit RGB: R = class, G = object (as 8-bit PNG, too)
      NAME.jpg          anywhere below --image-root, by the same stem

Format: https://doc.bdd100k.com/format.html#bitmask-format,
https://www.cvlibs.net/datasets/kitti/eval_semseg.php, https://synthia-dataset.net. Assumption:
object ids are unique within a class only, and are numbered again in one image.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from segprep.errors import SourceError
from segprep.files import MAX_BYTES, read_below
from segprep.imaging import image, mask_opening
from segprep.imaging.whole_numbers import whole_numbers
from segprep.sources._common.masks.value_files import LabelArray, ValueReader
from segprep.sources._common.shapes.regions import files_with
from segprep.types import OBJECT_IGNORE, Evidence

EXAMPLES = (
    "segprep convert bitmasks bitmasks/ out/ --image-root images/ --layout bdd100k"
    " --classes names.txt",
    "segprep convert bitmasks instance/ out/ --image-root image_2/ --layout kitti --objects",
)


@dataclass(frozen=True, slots=True)
class Reader(ValueReader):
    """Read masks that pack class and object into one PNG."""

    layout: Annotated[
        Literal["bdd100k", "kitti", "thousand", "synthia"], "How class and object are packed."
    ] = "bdd100k"
    objects: Annotated[bool, "Write SegmentationObject as well: one id per object."] = False

    @classmethod
    def recognize(cls, root: Path) -> Evidence | None:
        """A folder called bitmasks, and its pictures have four channels, as BDD100K's have: the
        pixels alone do not tell the layout.
        """
        real = root.resolve()
        reader = cls(real)
        for path in reader.label_files()[:1]:
            if "bitmask" not in str(path.relative_to(real.parent)).lower():
                continue
            try:
                pixels = _pixels(read_below(path, (real,), MAX_BYTES), path, reader.max_pixels)
            except SourceError:
                return Evidence(0.6, f"{path.name} lies in a folder of bitmasks")
            packed = pixels.shape[2:] == (4,)
            what = "has four channels and " if packed else ""
            return Evidence(
                0.9 if packed else 0.6, f"{path.name} {what}lies in a folder of bitmasks"
            )
        return None

    def label_files(self) -> list[Path]:
        """Every PNG below SRC."""
        return files_with(self.roots()[0], ".png")

    def array(self, path: Path) -> LabelArray:
        """The class ids and the objects of one picture."""
        pixels = _pixels(read_below(path, self.roots(), MAX_BYTES), path, self.max_pixels)
        classes, numbers = _unpacked(pixels, self.layout, path)
        values = whole_numbers(classes, path, limit=self.max_pixels)
        return LabelArray(values, _renumbered(classes, numbers) if self.objects else None)


def _pixels(data: bytes, path: Path, limit: int) -> NDArray[Any]:
    deep = mask_opening.deep(data, path, limit)
    if deep is not None:
        return deep.astype(np.int64)
    with image.opened(data, path, limit) as picture:
        if picture.mode in ("P", "1"):
            reason = "is a palette PNG, which cannot hold objects"
            raise SourceError(path, reason, "use: segprep convert pairs", "image-unsupported")
        return np.asarray(picture).astype(np.int64)


def _unpacked(
    pixels: NDArray[Any], layout: str, path: Path
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Class and object number per pixel. Raises SourceError (bad-array)."""
    channels = {"bdd100k": 4, "synthia": 3}.get(layout, 1)
    if (pixels.shape[2] if pixels.ndim == 3 else 1) < channels:
        reason = f"has too few channels for --layout {layout}, which needs {channels}"
        raise SourceError(path, reason, "give another --layout", "bad-array")
    if pixels.ndim == 3 and channels == 1:
        reason = f"has {pixels.shape[2]} channels; --layout {layout} has one"
        raise SourceError(path, reason, "give another --layout", "bad-array")
    if layout == "bdd100k":
        return pixels[..., 0], pixels[..., 2] * 256 + pixels[..., 3]
    if layout == "synthia":
        return pixels[..., 0], pixels[..., 1]
    if layout == "kitti":
        return pixels // 256, pixels % 256
    packed = pixels >= 1000
    return np.where(packed, pixels // 1000, pixels), np.where(packed, pixels % 1000 + 1, 0)


def _renumbered(classes: NDArray[np.int64], numbers: NDArray[np.int64]) -> NDArray[np.uint16]:
    """Objects from 1 by class and number; 0 where a pixel belongs to none."""
    keys = classes * (int(numbers.max()) + 1) + numbers
    keys[numbers == 0] = -1
    present = np.unique(keys)
    present = present[present >= 0]
    ids = np.searchsorted(present, keys) + 1
    return np.where(keys < 0, 0, np.minimum(ids, OBJECT_IGNORE - 1)).astype(np.uint16)
