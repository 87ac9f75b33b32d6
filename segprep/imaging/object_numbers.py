"""Masks that number objects instead of naming classes, told by the values that they hold."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from segprep.types import IGNORE

SHARE = 0.9  # of the masks with any value that are numbered
SIZES, LARGEST = 5, 6  # different numbers of objects, and the most objects, that classes never have


@dataclass(slots=True)
class Counts:
    """How many *masks* hold anything but 0 and 255, and for how many of them it is 1 to n without a
    gap: *sizes* counts them by n.
    """

    masks: int = 0
    sizes: Counter[int] = field(default_factory=Counter)

    def add(self, values: Iterable[int]) -> None:
        """One more mask, by the pixel *values* in it."""
        ids = {value for value in values if value not in (0, IGNORE)}
        self.masks += bool(ids)
        if ids and max(ids) == len(ids):
            self.sizes[len(ids)] += 1

    @property
    def numbered(self) -> int:
        """How many masks are numbered."""
        return self.sizes.total()

    def told(self) -> str:
        """What speaks for numbers of objects."""
        return (
            f"{self.numbered} of {self.masks} masks hold 1 to n without a gap, with"
            f" {len(self.sizes)} different n up to {max(self.sizes)}"
        )

    @property
    def objects(self) -> bool:
        """Whether the values can only be numbers of objects: were they classes, an image with the
        sixth would always hold the five before it, too.
        """
        return (
            self.numbered >= SHARE * self.masks
            and len(self.sizes) >= SIZES
            and max(self.sizes) >= LARGEST
        )
