"""What the records of a tree add up to."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from segprep.types import Classes, Record


@dataclass(slots=True)
class Totals:
    """What records add up to: *images*, and per class value the *pixels* and the images that have
    any (*present*).
    """

    images: int = 0
    pixels: Counter[int] = field(default_factory=Counter)
    present: Counter[int] = field(default_factory=Counter)

    def add(self, record: Record, times: int = 1) -> None:
        """Count one more, or with -1 *times* one less."""
        self.images += times
        for value, count in record.pixels.items():
            self.pixels[value] += times * count
            self.present[value] += times
            if not self.present[value]:
                del self.pixels[value], self.present[value]

    def plain(self) -> list[Any]:
        """The totals for :meth:`stored`."""
        return [self.images, *([*counts.items()] for counts in (self.pixels, self.present))]

    @classmethod
    def stored(cls, content: list[Any]) -> "Totals":
        """The totals that :meth:`plain` gave."""
        images, pixels, present = content
        return cls(images, Counter(dict(pixels)), Counter(dict(present)))

    def named(self, classes: Classes) -> dict[str, Any]:
        """The totals by class name (and "ignored")."""
        names = dict(enumerate(classes.names)) | (
            {classes.ignore: "ignored"} if classes.ignore is not None else {}
        )
        listed = {**names, **{value: str(value) for value in self.pixels if value not in names}}
        return {
            "images": self.images,
            "pixels": {name: self.pixels[value] for value, name in listed.items()},
            "images_with": {name: self.present[value] for value, name in listed.items()},
        }
