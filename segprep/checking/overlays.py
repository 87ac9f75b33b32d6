"""A few images and masks in full: are the annotations painted into the images?"""

import random
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segprep.checks._common.painted import FAR, Crossings, Paint, judge, suspicious
from segprep.checks._common.survey import Pair
from segprep.errors import SourceError
from segprep.files import read_below
from segprep.imaging import inspection
from segprep.types import IGNORE

SAMPLES, FIRST = 12, 3  # images that are read; those that decide whether the others are
MOST_TRIED = 48
RIM = 4  # pixels on each side of a border that may be ignored
MOST_LINES = 3000  # of one direction of an image


def painted(pairs: Sequence[Pair], roots: tuple[Path, ...]) -> tuple[Paint, ...]:
    """What is painted into the images of *pairs*, all of which were measured; three are read
    again, and nine more where most of these look painted.
    """
    numbers = random.Random(0).sample(range(len(pairs)), min(len(pairs), MOST_TRIED))
    lines = _read((pairs[number] for number in numbers), roots)
    first = list(islice(lines, FIRST))
    if 2 * sum(map(suspicious, first)) <= len(first):
        return ()
    return tuple(judge([*first, *islice(lines, SAMPLES - FIRST)]))


def _read(pairs: Iterator[Pair], roots: tuple[Path, ...]) -> Iterator[Crossings]:
    """The lines across the borders of those of *pairs* that have colors and borders."""
    for pair in pairs:
        photo, label = pair.photo, pair.label
        if not (pair.image and pair.mask and photo and label) or photo.gray:
            continue
        plain = photo.orientation <= 1 and (photo.height, photo.width) == label.shape
        if not plain or label.colors or len(label.values.keys() - {IGNORE}) < 2:
            continue
        with suppress(SourceError):
            data = read_below(pair.image, roots)
            picture = inspection.colors(data, pair.image)
            mask = inspection.mask(read_below(pair.mask, roots), pair.mask).samples
            if mask.ndim == 2 and mask.dtype.kind in "ui":
                yield crossings(picture, mask)


def crossings(picture: NDArray[np.uint8], mask: NDArray[Any]) -> Crossings:
    """The lines across the borders of *mask* (H, W), not to or from ignored pixels but rims, in
    *picture* (H, W, 3): at most MOST_LINES each down and to the right.
    """
    mask = _without_rims(mask)
    parts = [_down(picture, mask), _down(picture.transpose(1, 0, 2), mask.T)]
    colors, values = (np.concatenate(each) for each in zip(*parts, strict=True))
    ends = values[:, FAR - 1 : FAR + 1]
    upward = ends[:, 0] > ends[:, 1]
    colors[upward], values[upward] = colors[upward, ::-1], values[upward, ::-1]
    lasting = values == np.repeat(ends, FAR, axis=1)
    sides = lasting[:, FAR - 1 :: -1], lasting[:, FAR:]
    reach = np.minimum(*(np.logical_and.accumulate(side, axis=1).sum(1) for side in sides))
    return Crossings(colors, ends.astype(np.int64), reach)


def _without_rims(mask: NDArray[Any]) -> NDArray[Any]:
    """*mask* with ignored rims of at most 2 * RIM pixels given to the classes beside them: as VOC
    draws them around its objects, the border of two classes lies in the middle. Wider areas and
    frames stay.
    """
    ignored = mask == IGNORE
    if not ignored.any():
        return mask
    filled = mask.copy()
    for _ in range(RIM):
        for side in _beside(filled, IGNORE):
            taken = (filled == IGNORE) & (side != IGNORE)
            filled[taken] = side[taken]
    wide = filled == IGNORE
    for _ in range(RIM):
        wide = wide | np.logical_or.reduce(_beside(wide, True))
    filled[wide & ignored] = IGNORE
    return filled


def _beside(picture: NDArray[Any], outside: int | bool) -> tuple[NDArray[Any], ...]:
    """What lies above, below, left and right of each pixel of *picture* (H, W)."""
    around = np.pad(picture, 1, constant_values=outside)
    return around[:-2, 1:-1], around[2:, 1:-1], around[1:-1, :-2], around[1:-1, 2:]


def _down(picture: NDArray[Any], mask: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """(N, 2 * FAR, 3) and (N, 2 * FAR): the colors and values of lines from top to bottom."""
    inner = mask[FAR - 1 : len(mask) - FAR + 1]
    rows, columns = np.nonzero(inner[1:] != inner[:-1])
    if len(rows) > MOST_LINES:
        chosen = np.random.default_rng(0).choice(len(rows), MOST_LINES, replace=False)
        rows, columns = rows[chosen], columns[chosen]
    at = rows[:, None] + np.arange(2 * FAR)
    values = mask[at, columns[:, None]]
    told = (values[:, FAR - 1] != IGNORE) & (values[:, FAR] != IGNORE)
    return picture[at, columns[:, None]][told], values[told]
