"""Images of a dataset that look alike, also mirrored or rotated."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from segprep.checks._common.survey import Survey
from segprep.imaging.likeness import SIDE, pairs
from segprep.packed import LazySequence


@dataclass(frozen=True, slots=True)
class Likeness:
    """Two samples that look alike: *turn* says how the second lies ("" as the first)."""

    first: str
    second: str
    turn: str
    correlation: float


class _Thumbnails(LazySequence[NDArray[np.uint8]]):
    """The thumbnails (SIDE, SIDE) of the samples at *numbers*, read when they are asked for."""

    def __init__(self, survey: Survey, numbers: Sequence[int]) -> None:
        self.numbers, self._pairs = numbers, survey.pairs

    def __len__(self) -> int:
        return len(self.numbers)

    def _value(self, number: int) -> NDArray[np.uint8]:
        photo = self._pairs[self.numbers[number]].photo
        data = bytes(photo.thumbnail) if photo else bytes(SIDE * SIDE)
        return np.frombuffer(data, np.uint8).reshape(SIDE, SIDE)


@lru_cache(maxsize=2)
def alike(survey: Survey) -> tuple[Likeness, ...]:
    """Pairs of images of *survey* that look alike but are not equal pixel by pixel."""
    shown = (
        number
        for number, pair in enumerate(survey.pairs)
        if (photo := pair.photo) and photo.spread >= 2
    )
    thumbnails = _Thumbnails(survey, array("I", shown))
    likenesses = []
    for at, other, turn, correlation in pairs(thumbnails):
        first, second = (survey.pairs[thumbnails.numbers[n]] for n in (at, other))
        if first.photo and second.photo and first.photo.pixels != second.photo.pixels:
            likenesses.append(Likeness(first.stem, second.stem, turn, correlation))
    return tuple(likenesses)
