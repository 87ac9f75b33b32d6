"""Images of a dataset that look alike, also mirrored or rotated."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from segprep.checks._common.survey import Survey
from segprep.imaging.likeness import SIDE, pairs


@dataclass(frozen=True, slots=True)
class Likeness:
    """Two samples that look alike: *turn* says how the second lies ("" as the first)."""

    first: str
    second: str
    turn: str
    correlation: float


@lru_cache(maxsize=2)
def alike(survey: Survey) -> tuple[Likeness, ...]:
    """Pairs of images of *survey* that look alike but are not equal pixel by pixel."""
    stems, thumbnails, pixels = [], [], []
    for pair, photo in survey.images():
        if photo.spread >= 2:
            stems.append(pair.stem)
            thumbnails.append(np.frombuffer(photo.thumbnail, np.uint8).reshape(SIDE, SIDE))
            pixels.append(photo.pixels)
    return tuple(
        Likeness(stems[first], stems[second], turn, correlation)
        for first, second, turn, correlation in pairs(thumbnails)
        if pixels[first] != pixels[second]
    )
