"""Are many masks inverted? Two groups of images that contradict each other in everything.

By how the two largest classes differ in color and light, the images fall into two groups. In any
dataset there are such groups: white cats and black cats. But where masks are inverted, the class of
one group that lies at the rim of the picture, and is the larger, is the other class of the other
group as well.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from segprep.checks._common.fit import LEAST, median
from segprep.checks._common.likelihood import BINS, HUE, LIGHT, MOST, color_tables, measured
from segprep.checks._common.survey import MaskFacts, Survey
from segprep.types import IGNORE

LEAST_CELLS = 20  # of each of the two classes: with fewer an image tells nothing
LIGHTS = 8  # bins of light
ROUNDS = 100  # of multiplying
FEW = 0.1  # the share of images in the smaller group; for fewer each is judged by itself
HALF = 0.4  # of a share so near to a half nobody knows which group is inverted
RIM, SIZE = (
    0.8,
    0.4,
)  # by how much the groups differ: up to .2 and .5 in clean sets, 1.2 and .5 else


@dataclass(frozen=True, slots=True)
class Groups:
    """The *classes* that are inverted in some of *count* images. *smaller* are the images of the
    smaller group, by their number in the survey: by how much their colors differ, in units of what
    is usual; *certain*: there are so few of them that these are the inverted ones.
    """

    classes: tuple[int, int]
    count: int
    smaller: Mapping[int, float]
    certain: bool


@lru_cache(maxsize=2)
def groups(survey: Survey) -> Groups | None:
    """The two groups of images whose masks contradict each other, if there are such."""
    numbers, ids = measured(survey)
    if len(numbers) < LEAST or not 2 <= len(ids) <= MOST:
        return None
    pixels = Counter[int]()
    for pair in survey.complete:
        if pair.signals and pair.label:
            pixels.update({v: n for v, n in pair.label.values.items() if v in ids})
    if len(pixels) < 2:
        return None
    low, high = sorted(value for value, _ in pixels.most_common(2))
    square = np.sum([part.T @ part for part in _differences(survey, ids, low, high)], axis=0)
    axis = _main_axis(square)
    sides = np.concatenate([part @ axis for part in _differences(survey, ids, low, high)])
    labels = (pair.label for pair in survey.complete if pair.signals and pair.label)
    shape = np.array([_shape(label, low, high) for label in labels])
    telling = np.flatnonzero(sides)
    first, second = telling[sides[telling] > 0], telling[sides[telling] < 0]
    smaller, larger = sorted((first, second), key=len)
    if len(telling) < LEAST or len(smaller) < FEW * len(telling):
        return None
    middles = np.array([[median(column) for column in shape[part].T] for part in (smaller, larger)])
    apart = np.abs(middles[0] - middles[1])
    if apart[0] < RIM or apart[1] < SIZE:
        return None
    near = (np.abs(shape[smaller] - middles[0]) < np.abs(shape[smaller] - middles[1])).all(1)
    usual = median(np.abs(sides[telling]))
    chosen = {numbers[n]: abs(float(sides[n])) / usual for n in smaller[near].tolist()}
    return Groups((low, high), len(telling), chosen, len(smaller) < HALF * len(telling))


def _main_axis(square: NDArray[np.float64]) -> NDArray[np.float64]:
    """The main axis of *square* (N, N), by multiplying with it: loading LAPACK for so small a
    matrix takes as long as checking a hundred small images.
    """
    axis = square[int(square.diagonal().argmax())]
    for _ in range(ROUNDS):
        axis = (square * axis).sum(1)
        axis = axis / max(float(np.abs(axis).max()), 1e-300)
    return np.asarray(axis)


def _differences(
    survey: Survey, ids: list[int], low: int, high: int
) -> Iterator[NDArray[np.float64]]:
    """(images, BINS + LIGHTS) of a block of images: by how much the share of each color and each
    light in the class *high* exceeds that in *low*; zeros where too few cells are of one of them.
    """
    both = [ids.index(low), ids.index(high)]
    for hues, lights in color_tables(survey, ids, HUE, LIGHT):
        part = np.concatenate([hues[:, both], lights[:, both, :LIGHTS]], axis=2)
        cells = part[..., :BINS].sum(2, keepdims=True)
        shares = part / np.maximum(cells, 1)
        yield (shares[:, 1] - shares[:, 0]) * (cells >= LEAST_CELLS).all(1)


def _shape(label: MaskFacts, low: int, high: int) -> tuple[float, float]:
    """By how much *high* exceeds *low* on the rim of the picture, and in size, from -1 to 1."""
    rim = sum(count for value, count in label.rim.items() if value != IGNORE)
    own, others = label.values.get(high, 0), label.values.get(low, 0)
    return (
        (label.rim.get(high, 0) - label.rim.get(low, 0)) / max(rim, 1),
        (own - others) / max(own + others, 1),
    )
