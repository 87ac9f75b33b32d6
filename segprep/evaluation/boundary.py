"""How well do contours agree? Boundary IoU, and the boundary F-score.

Boundary IoU: Cheng, Girshick, Dollár, Berg, Kirillov, "Boundary IoU: Improving Object-Centric Image
Segmentation Evaluation", CVPR 2021: the IoU of the pixels of each mask that lie within d of its
contour, d = 2 % of the image diagonal; the image's edge is a contour. Boundary F: Csurka, Larlus,
Perronnin, "What is a good evaluation measure for semantic segmentation?", BMVC 2013: F1 of the
contour pixels that have a contour pixel of the other side within 0.75 % of the diagonal; per image
and class, then the mean.
"""

from dataclasses import dataclass
from math import hypot
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from segprep.metrics.counting import Ints, tally
from segprep.metrics.scores import mean, ratio

BAND, TOLERANCE = 0.02, 0.0075  # shares of the image diagonal
_NONE = -1  # not in a band, outside the image


@dataclass(frozen=True, slots=True)
class Boundary:
    """Of one image, per class that occurs (K,): pixels in both bands and in either, and the F-score
    of its contours (NaN where neither side has a contour).
    """

    ids: Ints
    shared: Ints
    union: Ints
    f_score: NDArray[np.float64]


def measure(truth: NDArray[Any], pred: NDArray[Any], ignore: int | None, classes: int) -> Boundary:
    """Compare the contours of two label maps (H, W).

    Ignored truth pixels are ignored in the prediction, too.
    """
    mine = truth.astype(np.int32)
    theirs = pred.astype(np.int32)
    theirs[(theirs < 0) | (theirs >= classes)] = classes
    dropped = mine == ignore if ignore is not None else np.zeros(mine.shape, np.bool_)
    mine[dropped] = theirs[dropped] = (
        classes + 1
    )  # one strange value, so that its edge is the same contour on both sides
    measured = tally(
        *(
            np.where(band(value, width(value.shape)) & ~dropped, value, _NONE)
            for value in (mine, theirs)
        )
    )
    ids = np.intersect1d(np.union1d(mine, theirs), np.arange(classes)).astype(np.int64)
    shared, union = (np.zeros(len(ids), np.int64) for _ in range(2))
    for at, value in enumerate(ids.tolist()):
        here = (measured.truth == value) | (measured.pred == value)
        both = (measured.truth == value) & (measured.pred == value)
        union[at], shared[at] = measured.pixels[here].sum(), measured.pixels[both].sum()
    reach = TOLERANCE * hypot(*truth.shape)
    contours = [contour(value) & ~dropped for value in (mine, theirs)]
    scores = [
        f_score(contours[0] & (mine == value), contours[1] & (theirs == value), reach)
        for value in ids.tolist()
    ]
    return Boundary(ids, shared, union, np.array(scores, np.float64))


def width(shape: tuple[int, ...], share: float = BAND) -> int:
    """The distance d of the band in pixels, at least 1."""
    return max(1, round(share * hypot(*shape)))


def band(labels: NDArray[np.int32], distance: int) -> NDArray[np.bool_]:
    """Where *labels* (H, W) have another value, or the image's edge, within *distance* rows and
    columns.

    This is every mask minus its erosion by a square, for all classes at once: a window of one value
    has equal minimum and maximum.
    """
    from scipy.ndimage import maximum_filter1d, minimum_filter1d

    low, high = labels, labels
    for axis in (0, 1):
        low = minimum_filter1d(low, 2 * distance + 1, axis, mode="constant", cval=_NONE)
        high = maximum_filter1d(high, 2 * distance + 1, axis, mode="constant", cval=_NONE)
    return cast("NDArray[np.bool_]", low != high)


def contour(labels: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Pixels with another value above, below, left or right; the image's edge is none here."""
    edge = np.zeros(labels.shape, np.bool_)
    down, across = labels[1:] != labels[:-1], labels[:, 1:] != labels[:, :-1]
    edge[1:] |= down
    edge[:-1] |= down
    edge[:, 1:] |= across
    edge[:, :-1] |= across
    return edge


def f_score(truth: NDArray[np.bool_], pred: NDArray[np.bool_], reach: float) -> float:
    """F1 of two sets of contour pixels (H, W) that match within *reach* pixels.

    Neither side has any: NaN; one side: 0.
    """
    if not truth.any() and not pred.any():
        return float("nan")
    if not truth.any() or not pred.any():
        return 0.0
    from scipy.spatial import cKDTree

    sides = [np.argwhere(where) for where in (truth, pred)]
    trees = [cKDTree(points) for points in sides]
    bound = np.nextafter(reach, np.inf)  # up to and including *reach*
    recall, precision = (
        float(np.isfinite(trees[1 - n].query(sides[n], distance_upper_bound=bound)[0]).mean())
        for n in (0, 1)
    )
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


class Contours:
    """Boundaries of all images added up: intersections and unions summed, F-scores averaged over
    the images.
    """

    def __init__(self, classes: int) -> None:
        self.shared, self.union, self.images = (np.zeros(classes, np.int64) for _ in range(3))
        self.f_score = np.zeros(classes, np.float64)

    def add(self, image: Boundary) -> None:
        """Count one image."""
        self.shared[image.ids] += image.shared
        self.union[image.ids] += image.union
        defined = ~np.isnan(image.f_score)
        self.images[image.ids[defined]] += 1
        self.f_score[image.ids[defined]] += image.f_score[defined]

    def scores(
        self, excluded: tuple[int, ...]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], float, float]:
        """Boundary IoU and boundary F per class (C,), NaN where undefined, and the mean of each
        without the *excluded* classes.
        """
        iou, f_score = ratio(self.shared, self.union), ratio(self.f_score, self.images)
        kept = np.ones(len(iou), np.bool_)
        kept[list(excluded)] = False
        return iou, f_score, mean(iou[kept]), mean(f_score[kept])
