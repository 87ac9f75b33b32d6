"""Whether annotations are painted into the images: what lies across the borders of their masks.

A tint mixes every pixel with one color: across the border of a mask, *inside* = *slope* x *outside*
+ *offset* in all images, with one slope for red, green and blue. An outline has one color, which
neither side of it has. Nature does neither.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

FAR = 8  # pixels on each side of a border
LEAST = 3  # images
LEAST_LINES, LEAST_EQUAL = 20, 10  # of an image: at all, and with even sides
MOST_LINES, MOST_PAIRS = 300, 6  # of an image and a pair of classes; pairs, by their borders
TRIES = 100
SLACK = 0.6  # of the evidence, for a first look
CHROMA = 40  # levels between the channels of a color that is painted
SPREAD = 20  # levels: a standard deviation of what is tinted, without which there is no slope
LINE = 3  # pixels that an outline lies off a border, at most


@dataclass(frozen=True, slots=True, eq=False)
class Crossings:
    """Lines across the borders of one mask: *colors* (N, 2 * FAR, 3) of the pixels from the lower
    class of *classes* (N, 2) to the higher, and on how many of them on each side the class lasts,
    *reach* (N,), at most FAR.
    """

    colors: NDArray[np.uint8]
    classes: NDArray[np.int64]
    reach: NDArray[np.int64]

    def chosen(self, lines: NDArray[np.intp]) -> "Crossings":
        """Those of these numbers, at most MOST_LINES of them, evenly."""
        every = lines[:: -(-len(lines) // MOST_LINES) or 1]
        return Crossings(self.colors[every], self.classes[every], self.reach[every])


@dataclass(frozen=True, slots=True)
class Paint:
    """The borders of *classes* (None: of all) look painted, as *kind* (tint, outline), in *color*
    (red, green, blue; None for a tint of which only the difference is known); *share* of the lines
    say so.
    """

    kind: str
    classes: tuple[int, int] | None
    color: tuple[int, int, int] | None
    share: float


@dataclass(frozen=True, slots=True)
class Scale:
    """What counts as equal. The pixels *near* to *far* from a border stand for their side where
    they differ by *smooth* levels at most. *tolerance* is that of an equation, which a share of
    *least* of the lines obey, and *quarter* in three quarters of the images; *same* may have equal
    sides. Slopes are *low* to *high*.
    """

    near: int
    far: int
    smooth: int
    tolerance: int
    least: float
    quarter: float
    same: float
    low: float
    high: float
    chroma: int


SCALES = (
    Scale(0, 2, 6, 5, 0.4, 0.3, 0.05, 0.15, 0.88, CHROMA),  # files that keep every pixel
    Scale(1, 4, 24, 14, 0.3, 0.13, 0.02, 0.25, 0.85, 100),  # JPEG
)
OUTLINE = Scale(5, 8, 255, 30, 0.5, 0.35, 0.4, 0, 0, 70)


def suspicious(image: Crossings) -> bool:
    """Whether one image calls for a look at others: something like an outline is there, or nearly
    no line across the borders of two classes has equal sides.
    """
    whole = image.chosen(np.arange(len(image.reach)))
    if _outline(None, [whole], SLACK):
        return True
    for (part,) in islice(_by_classes([image]).values(), 1):  # those with most borders
        for scale in SCALES:
            outside, inside = _sides(part, scale)
            if len(outside) >= LEAST_EQUAL:  # the finest scale tells
                return bool(np.mean(_equal(outside, inside, SCALES[0])) <= scale.same / 2)
    return False


def judge(images: Sequence[Crossings]) -> list[Paint]:
    """What is painted in nearly all of *images*, which are at least LEAST: an outline of all
    classes, or else what lies along the borders of each pair of them.
    """
    whole = [image.chosen(np.arange(len(image.reach))) for image in images]
    if len(whole) >= LEAST and (paint := _outline(None, whole)):
        return [paint]
    paints = []
    for classes, parts in _by_classes(images).items():
        if len(parts) >= LEAST:
            paint = _outline(classes, parts)
            for scale in SCALES:
                paint = paint or _tint(classes, parts, scale)
            paints += [paint] if paint else []
    return paints


def _by_classes(images: Sequence[Crossings]) -> Mapping[tuple[int, int], list[Crossings]]:
    """Those of each image by their classes, for the pairs of classes with most borders."""
    parts: dict[tuple[int, int], list[Crossings]] = defaultdict(list)
    for image in images:
        keys, numbers = np.unique(image.classes, axis=0, return_inverse=True)
        for number, (low, high) in enumerate(keys.tolist()):
            lines = np.flatnonzero(numbers.reshape(-1) == number)
            if len(lines) >= LEAST_LINES:
                parts[low, high].append(image.chosen(lines))
    usual = sorted(parts, key=lambda pair: -sum(len(part.reach) for part in parts[pair]))
    return {pair: parts[pair] for pair in usual[:MOST_PAIRS]}


def _sides(part: Crossings, scale: Scale) -> NDArray[np.float64]:
    """(2, lines, 3): the colors of both sides, where they are even and reach far enough."""
    near = part.colors[part.reach >= scale.far].astype(np.int16)
    sides = np.stack(
        [near[:, FAR - scale.far : FAR - scale.near], near[:, FAR + scale.near : FAR + scale.far]]
    )
    even = (np.ptp(sides, axis=2).max(2) <= scale.smooth).all(0)
    return np.asarray(sides[:, even].mean(2))


def _tint(classes: tuple[int, int], parts: Sequence[Crossings], scale: Scale) -> Paint | None:
    """A tint by which the lines of most images obey one equation."""
    sides = [both for part in parts if (both := _sides(part, scale)).shape[1] >= LEAST_EQUAL]
    if 2 * len(sides) < len(parts):
        return None
    outside, inside = np.concatenate(sides, axis=1)
    if np.mean(_equal(inside, outside, scale)) > scale.same:
        return None
    slope, offset, obeying = _equation(outside, inside, scale)
    shares = [np.mean(_equal(y, slope * x + offset, scale)) for x, y in sides]
    if obeying.mean() < scale.least or np.quantile(shares, 0.25) < scale.quarter:
        return None
    tinted = outside[obeying]
    spread = float(np.median(tinted.std(0)))
    color = None
    if scale.low <= slope <= scale.high and spread >= SPREAD:
        mixed = offset / (1 - slope)
        if mixed.min() < -20 or mixed.max() > 275 or np.ptp(mixed) < scale.chroma:
            return None
        red, green, blue = np.clip(np.round(mixed), 0, 255).astype(int).tolist()
        color = red, green, blue
    elif not _is_shift(slope, offset, spread, gray=bool(np.ptp(tinted, axis=1).max() <= 8)):
        return None
    return Paint("tint", classes, color, float(obeying.mean()))


def _is_shift(slope: float, offset: NDArray[Any], spread: float, *, gray: bool) -> bool:
    """Whether both sides are mixed, with two colors, which leaves a difference of *offset*; *gray*
    pictures were made so for it.
    """
    wide, uneven = (SPREAD / 2, 0.15) if gray else (1.25 * SPREAD, 0.06)
    return bool(abs(slope - 1) <= uneven and np.ptp(offset) >= CHROMA and spread >= wide)


def _equal(colors: NDArray[Any], others: NDArray[Any], scale: Scale) -> NDArray[np.bool_]:
    return np.asarray(np.abs(colors - others).max(-1) <= scale.tolerance)


def _equation(
    outside: NDArray[np.float64], inside: NDArray[np.float64], scale: Scale
) -> tuple[float, NDArray[np.float64], NDArray[np.bool_]]:
    """The slope and offset (3,) that most lines obey, and which do: from pairs of lines, then from
    all that obey.
    """
    pairs = np.random.default_rng(0).integers(0, len(outside), (TRIES, 2))
    first, second = outside[pairs[:, 0]], outside[pairs[:, 1]]
    apart = ((first - second) ** 2).sum(1)
    best = 0.0, np.zeros(3), np.zeros(len(outside), np.bool_)
    for pair, wide in zip(pairs[apart >= 900], apart[apart >= 900], strict=True):
        x, y = outside[pair], inside[pair]
        slope = float((x[0] - x[1]) @ (y[0] - y[1]) / wide)
        offset = y.mean(0) - slope * x.mean(0)
        obeying = _equal(inside, slope * outside + offset, scale)
        if obeying.sum() > best[2].sum():
            best = slope, offset, obeying
    for _ in range(5):
        x, y = outside[best[2]], inside[best[2]]
        centered = x - x.mean(0) if len(x) else x
        if not (square := float((centered**2).sum())):
            break
        slope = float((centered * y).sum()) / square
        offset = y.mean(0) - slope * x.mean(0)
        best = slope, offset, _equal(inside, slope * outside + offset, scale)
    return best


def _outline(
    classes: tuple[int, int] | None, parts: Sequence[Crossings], slack: float = 1
) -> Paint | None:
    """A color beside the borders of most images that neither side has; with less *slack* than 1,
    less evidence will do.
    """
    lines = [_odd_ones(part) for part in parts]
    lines = [each for each in lines if each.shape[1] >= LEAST_LINES]
    if 2 * len(lines) < len(parts):
        return None
    odd, *sides = np.concatenate(lines, axis=1)
    candidates = odd[np.random.default_rng(0).integers(0, len(odd), TRIES)]
    votes = [np.count_nonzero(_equal(odd, color, OUTLINE)) for color in candidates]
    color = candidates[int(np.argmax(votes))]
    for _ in range(3):
        color = np.median(odd[_equal(odd, color, OUTLINE)], axis=0)
    painted = _equal(odd, color, OUTLINE)
    shares = [np.mean(_equal(each[0], color, OUTLINE)) for each in lines]
    if painted.mean() < OUTLINE.least * slack or np.ptp(color) < OUTLINE.chroma * slack:
        return None
    near = np.abs(np.stack(sides) - color).max(2).min(0) <= 2 * OUTLINE.tolerance
    few = np.quantile(shares, 0.25) < OUTLINE.quarter * slack
    if few or near.mean() > OUTLINE.same / slack:
        return None
    red, green, blue = np.round(color).astype(int).tolist()
    return Paint("outline", classes, (red, green, blue), float(painted.mean()))


def _odd_ones(part: Crossings) -> NDArray[np.float64]:
    """(3, lines, 3): of each line the pixel near the border that differs most from both sides, and
    both sides.
    """
    near = part.colors[part.reach >= FAR].astype(np.int16)
    sides = np.stack([near[:, : FAR - OUTLINE.near], near[:, FAR + OUTLINE.near :]]).mean(2)
    middle = near[:, FAR - LINE + 1 : FAR + LINE - 1]
    apart = np.abs(middle[None] - sides[:, :, None]).sum(3).min(0)
    odd = middle[np.arange(len(near)), apart.argmax(1)] if len(near) else near[:, 0]
    return np.concatenate([odd[None], sides])
