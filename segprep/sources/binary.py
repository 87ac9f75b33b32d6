"""Images and black-and-white masks in separate folders: ISBI and "medical" trees, Carvana, and
most tutorials.

    Images/0.png     any image
    Labels/0.png     its mask, black and white; which of the two is the object, --foreground says
    ImageSets/Segmentation/train.txt    optional: official lists

Format: the medical layout of https://github.com/bubbliiiing/unet-pytorch; Carvana's x.jpg and
x_mask.gif. Assumptions: one mask per image, of its size; pairs by name, by name but for a prefix or
suffix, or by number; brightness, not palette index, tells dark from light.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, cast

import numpy as np
from numpy.typing import NDArray

from segprep.dataset import classes as class_lists
from segprep.errors import SegprepError
from segprep.files import read_below
from segprep.imaging import image, mask_files, paired_masks
from segprep.packed_items import FirstLabels
from segprep.sources._common.classes import mask_values, polarity
from segprep.sources._common.classes.polarity import Foreground, Threshold
from segprep.sources._common.masks.field_of_view import View, applied, unstated, with_views
from segprep.sources._common.pairing import matching
from segprep.sources._common.pairing.paired_folders import PairedFolders
from segprep.types import (
    Evidence,
    Item,
    Note,
    Progress,
    Sample,
    Scan,
    no_progress,
)

EXAMPLES = (
    "segprep convert binary medical/ out/ --foreground dark --name membrane",
    (
        "segprep convert binary carvana/ out/ --images train --masks train_masks --foreground light"
        " --name car"
    ),
    "segprep convert binary data/ out/        prints what dark and light would mean, and stops",
)

_CLASSES = (
    "--name NAME names the object's class, the rest is background; if each value is a class of its"
    " own: segprep convert pairs SRC OUT --ids 0=background,255=NAME"
)


@dataclass(frozen=True, slots=True)
class Reader(PairedFolders):
    """Read a folder of images and a folder of black-and-white masks."""

    APPLIES_VIEWS = True
    INSTEAD: ClassVar = dict.fromkeys(("classes", "ids"), _CLASSES)

    foreground: Foreground = None
    threshold: Threshold = polarity.HALF
    name: Annotated[str, "Name of the object's class."] = "foreground"
    view: View = ""

    @classmethod
    def recognize(cls, root: Path) -> Evidence | None:
        """Folders of images and masks, and a mask that is black and white."""
        root = root.resolve()
        if not (glimpse := matching.glimpse(root)):
            return None
        folders, paths = glimpse
        seen = {path: said for path in paths if (said := _black_and_white(path, root)) is not None}
        if seen and all(seen.values()):
            return Evidence(0.7, f"{folders.masks.name}/{next(iter(seen)).name} is black and white")
        return None

    def scan(self, jobs: int = 1, progress: Progress[Any] = no_progress) -> Scan:
        """Every pair of image and mask is an item.

        Raises UsageError where the polarity is not stated.
        """
        polarity.check_threshold(self.threshold)
        folders = self.folders()
        matched = self.paired(folders)
        masks = FirstLabels(matched.items)
        if self.foreground is None and masks:
            raise polarity.ask(
                masks,
                self.roots(),
                self.threshold,
                self.max_pixels,
                jobs,
                progress,
            )
        items: Sequence[Item] = matched.items
        skipped, notes, root = matched.skipped, list[Note](), self.roots()[0]
        if self.view:
            items, without = with_views(root, self.view, items)
            skipped += without
        elif any(pair.view for pair in folders):
            items, notes = unstated(root, folders, items, self.max_pixels)
        return Scan(
            items,
            class_lists.make([class_lists.BACKGROUND, self.name]),
            skipped,
            matched.lists,
            (*matched.notes, *notes),
        )

    def read(self, item: Item) -> Sample:
        """The image, and its mask as 0 and 1."""

        def to_mask(data: bytes, path: Path, notes: list[Note]) -> NDArray[np.uint8]:
            return polarity.binary(
                data, path, notes, cast("str", self.foreground), self.threshold, self.max_pixels
            )

        sample = paired_masks.sample(item, self.roots(), to_mask, self.max_pixels)
        if len(item.labels) < 2:
            return sample
        return applied(sample, item.labels[1], self.roots(), self.max_pixels)


def _black_and_white(path: Path, root: Path) -> bool | None:
    """Whether the mask is of these two only, or nearly so: a JPEG, which holds no ids, or gray
    levels too many for ids, as resizing makes them. None if it cannot be read, or is all black.
    """
    try:
        data = read_below(path, (root,))
        seen = mask_files.intensity(data, path)
        is_jpeg = image.header(data, path).format == "JPEG"
    except SegprepError as error:
        return False if error.code == "mask-is-colour" else None
    smeared = is_jpeg or len(image.histogram(seen)) > mask_values.LARGEST
    slack = 32 if smeared else 0
    white = np.count_nonzero(seen >= 255 - slack)
    between = np.count_nonzero((seen > slack) & (seen < 255 - slack))
    if not white and not between:
        return None
    return bool(white > between and between * 20 <= seen.size * smeared)
