"""The rows of the legend: what a page says of each class."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from segprep.reports import thumbnails
from segprep.types import IGNORE


def rows(
    counts: Iterable[Mapping[int, int]], names: Sequence[str], background: int | None
) -> list[dict[str, Any]]:
    """Every class that occurs or is named: id, name, color, pixels, share, bar (percent of the
    longest) and images. *counts* are the pixels per value of each image, *names* those of the ids;
    the class *background* is transparent.
    """
    pixels: Counter[int] = Counter()
    images: Counter[int] = Counter()
    for counted in counts:
        pixels.update(counted)
        images.update(counted.keys())
    total = pixels.total() or 1
    listed = sorted({*range(len(names)), *pixels})
    top = max((pixels[value] for value in listed), default=1) or 1
    return [
        {
            "id": value,
            "name": "ignored"
            if value == IGNORE
            else names[value]
            if value < len(names)
            else str(value),
            "color": "transparent" if value == background else thumbnails.color(value),
            "pixels": pixels[value],
            "share": f"{100 * pixels[value] / total:.2f} %",
            "bar": round(100 * (pixels[value] / top) ** 0.5, 1),
            "images": images[value],
        }
        for value in listed
    ]
