"""Images of a dataset that look alike, also mirrored or rotated."""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segprep.checks._common.survey import Survey
from segprep.imaging import shifted
from segprep.imaging.likeness import SIDE, pairs
from segprep.packed import LazySequence

SAMPLE = 200  # frames in different splits that are compared before all others are


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

    @classmethod
    def of(cls, survey: Survey) -> "_Thumbnails":
        """Those that show anything."""
        shown = (n for n, pair in enumerate(survey.pairs) if pair.photo and pair.photo.spread >= 2)
        return cls(survey, array("I", shown))


def frames(survey: Survey) -> Iterator[Likeness]:
    """Images in different splits, of following numbers, that show one scene from a camera that
    moved on. A sample of them tells whether there are any.
    """
    splits = survey.splits
    if len(set(splits.values())) < 2:
        return
    thumbnails = _Thumbnails.of(survey)
    stems = [survey.stems[n] for n in thumbnails.numbers]
    homes = [splits.get(stem) for stem in stems]
    apart = [
        (left, right)
        for left, right in shifted.neighbors(stems)
        if homes[left] and homes[right] and homes[left] != homes[right]
    ]
    some = apart[:: max(1, len(apart) // SAMPLE)]
    seen = list(shifted.same_scene(thumbnails, some))
    if seen and len(some) < len(apart):
        seen = list(shifted.same_scene(thumbnails, apart))
    for left, right, agreement in seen:
        yield Likeness(stems[left], stems[right], "moved on", agreement)


def alike(survey: Survey) -> tuple[Likeness, ...]:
    """Pairs of images of *survey* that look alike but are not equal pixel by pixel."""
    thumbnails = _Thumbnails.of(survey)
    likenesses = []
    for at, other, turn, correlation in pairs(thumbnails):
        first, second = (survey.pairs[thumbnails.numbers[n]] for n in (at, other))
        if first.photo and second.photo and first.photo.pixels != second.photo.pixels:
            likenesses.append(Likeness(first.stem, second.stem, turn, correlation))
    return tuple(likenesses)
