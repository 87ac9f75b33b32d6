"""Cut-outs: the mask is the alpha channel of the image itself.

    src/
      NAME.png        RGBA, gray with alpha, or a palette with transparency

Format: the alpha channel of PNG, WebP and TIFF. Assumption: a pixel belongs to the object where its
alpha is at least --threshold (128 of 255), and images without an alpha channel are refused, since
nothing says what they show.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from segprep.dataset import classes as class_lists
from segprep.errors import SourceError, UsageError
from segprep.files import MAX_BYTES, read_below, real_folders
from segprep.imaging import image
from segprep.imaging.image import SUFFIXES
from segprep.sources._common.pairing import matching, stems
from segprep.sources._common.pairing.official_lists import ListsFromFolders
from segprep.sources._common.shapes.regions import files_with
from segprep.types import (
    MAX_PIXELS,
    Evidence,
    Item,
    LinkRoot,
    MaxPixels,
    Note,
    Progress,
    Sample,
    Scan,
    Skipped,
    Stem,
    no_progress,
)

EXAMPLES = ("segprep convert alpha cutouts/ out/ --name product",)


@dataclass(frozen=True, slots=True)
class Reader:
    """Read masks from the alpha channel of images."""

    root: Path
    name: Annotated[str, "The class of the opaque pixels."] = "object"
    threshold: Annotated[int, "Minimum alpha, of 255, of a pixel of the object."] = 128
    lists_from_folders: ListsFromFolders = "auto"
    stem: Stem = "name"
    image_root: LinkRoot = ()
    max_pixels: MaxPixels = MAX_PIXELS

    @classmethod
    def recognize(cls, root: Path) -> Evidence | None:
        """A first image with clear and opaque pixels: a hint only, since images of other formats
        have an alpha channel, too.
        """
        reader = cls(root.resolve())
        for item in reader.scan().items[:1]:
            mask = reader.read(item).mask
            if mask.any() and not mask.all():
                return Evidence(0.2, f"{item.labels[0].name} has clear and opaque pixels")
        return None

    def scan(self, jobs: int = 1, progress: Progress[Any] = no_progress) -> Scan:
        """Every image is an item."""
        if not 1 <= self.threshold <= 255:
            raise UsageError("bad-option", f"--threshold {self.threshold} is not 1 to 255")
        (root,) = real_folders(self.root)
        paths = sorted({path for suffix in SUFFIXES for path in files_with(root, suffix)})
        items = [Item(stems.sample_stem(path, root, self.stem), path, (path,)) for path in paths]
        skipped: list[Skipped] = []
        classes = class_lists.make([class_lists.BACKGROUND, self.name])
        kept = stems.unique(items, skipped)
        lists = matching.folder_lists(root, kept) if self.lists_from_folders == "auto" else {}
        return Scan(kept, classes, tuple(skipped), lists)

    def read(self, item: Item) -> Sample:
        """The image as it is, the mask from its alpha channel as it is stored."""
        path = item.labels[0]
        data = read_below(path, real_folders(self.root, self.image_root), MAX_BYTES)
        with image.opened(data, path, self.max_pixels) as picture:
            if "A" not in picture.getbands() and "transparency" not in picture.info:
                reason, hint = "has no alpha channel", "skip it with --on-error skip"
                raise SourceError(path, reason, hint, "mask-missing")
            alpha = np.asarray(picture.convert("RGBA"))[..., 3]
        mask = (alpha >= self.threshold).astype(np.uint8)
        notes: tuple[Note, ...] = ()
        if mask.all() or not mask.any():
            text = "every pixel is opaque" if mask.all() else "no pixel is opaque"
            notes = (Note("one-class-only", f"{text}: the mask has one class"),)
        return Sample(item.stem, data, mask, upright=False, notes=notes)
