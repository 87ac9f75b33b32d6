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
    images = [(pair.stem, photo) for pair, photo in survey.images() if photo.spread >= 2]
    stack = np.frombuffer(b"".join(bytes(photo.thumbnail) for _, photo in images), np.uint8)
    return tuple(
        Likeness(images[first][0], images[second][0], turn, correlation)
        for first, second, turn, correlation in pairs(stack.reshape(-1, SIDE, SIDE))
        if images[first][1].pixels != images[second][1].pixels
    )
