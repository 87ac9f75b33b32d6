"""The things of one sample: objects where the dataset knows them, else one per class."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segprep.imaging import contours
from segprep.types import IGNORE, OBJECT_IGNORE, Classes
from segprep.writer import LabeledImage


@dataclass(frozen=True, slots=True, eq=False)
class Thing:
    """The pixels of one class or object: *bits* (h, w) with its first pixel at (*top*, *left*)."""

    value: int
    top: int
    left: int
    bits: NDArray[np.bool_]

    @property
    def area(self) -> int:
        """Its pixels."""
        return int(np.count_nonzero(self.bits))


def things(sample: LabeledImage, classes: Classes) -> Iterator[Thing]:
    """Every class but the background, or every object of every class, ignored pixels not.

    A class's pixels without an object are one thing; an object of two classes is two.
    """
    for value, top, left, bits in contours.boxes(sample.mask):
        if value in (classes.background, IGNORE):
            continue
        if sample.objects is None:
            yield Thing(value, top, left, bits)
            continue
        height, width = bits.shape
        ids = sample.objects[top : top + height, left : left + width].astype(np.int64)
        ids[ids == OBJECT_IGNORE] = 0
        for number, row, column, part in contours.boxes(np.where(bits, ids, -1)):
            if number >= 0:
                yield Thing(value, top + row, left + column, part)
