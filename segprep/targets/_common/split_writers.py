"""What writers share whose samples go to the lists that name them: options, choice, losses."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from segprep.targets._common import lists, names, outlines
from segprep.types import IGNORE, MAX_PIXELS, MaxPixels
from segprep.writer import Choice, Inventory, LabeledImage, Link, Loss


@dataclass(frozen=True, slots=True)
class SplitWriter:
    """A writer of every sample of train, val and test, whose images may be links."""

    link: Link = "copy"
    max_pixels: MaxPixels = MAX_PIXELS

    def choose(self, inventory: Inventory) -> Choice:
        """The samples of train, val and test. Raises TreeError where the dataset has no classes."""
        names.required(inventory.classes)
        return lists.by_split(inventory)


@dataclass(frozen=True, slots=True)
class OutlineWriter(SplitWriter):
    """The same with outlines, that may run beside the mask."""

    tolerance: Annotated[
        float, "How far, in pixels, an outline may deviate from the mask; 0 = every pixel is kept."
    ] = 0.0
    max_loss: outlines.MaxLoss = outlines.MAX_LOSS

    def choose(self, inventory: Inventory) -> Choice:
        """The samples of train, val and test. Raises UsageError for a wrong tolerance or loss."""
        outlines.check(self.tolerance, self.max_loss)
        names.required(inventory.classes)
        return lists.by_split(inventory)


def ignored(sample: LabeledImage, outcome: str = "became background") -> Loss:
    """The ignored pixels of *sample*; *outcome* is what becomes of them."""
    count = int(np.count_nonzero(sample.mask == IGNORE))
    return Loss(f"pixels of 255 (ignored) {outcome}", count)
