"""How well are single objects found? Panoptic quality, and the score of the 2018 Data Science Bowl.

PQ = SQ · RQ, SQ the mean IoU of matched objects (IoU > 0.5), RQ = TP/(TP + FP/2 + FN/2): Kirillov
et al., "Panoptic Segmentation", CVPR 2019. A predicted object that lies for more than half in
ignored pixels is not counted; ignored pixels are in no union. dsb_score: TP/(TP + FP + FN)
at IoU > 0.5, 0.55, …, 0.95, the mean of the ten; per image, then the mean over images.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segprep.metrics.counting import Ints, tally

STEPS = range(10, 20)  # thresholds in twentieths, so that an IoU of exactly 0.6 is not above 0.6


@dataclass(frozen=True, slots=True)
class Objects:
    """One image: per class (C,) true and false positives, false negatives and the sum of matched
    IoU; and its dsb_score.
    """

    hits: Ints
    extra: Ints
    missed: Ints
    iou: NDArray[np.float64]
    dsb_score: float


def measure(
    truth: NDArray[Any],
    pred: NDArray[Any],
    truth_class: NDArray[Any],
    pred_class: NDArray[Any],
    ignore: int | None,
    classes: int,
) -> Objects:
    """Match the objects of two maps of ids (H, W), 0 none; an object's class is the majority of
    its pixels in the class maps. *ignore*: an id in *truth*.
    """
    void = np.zeros(truth.shape, np.bool_) if ignore is None else truth == ignore
    matches = tally(np.where(void, -1, truth.astype(np.int64)), pred.astype(np.int64))
    mine = _sizes(matches.truth, matches.pixels, matches.truth > 0)
    theirs = _sizes(matches.pred, matches.pixels, matches.pred > 0)
    hidden = {
        int(p): int(n)
        for t, p, n in zip(matches.truth, matches.pred, matches.pixels, strict=True)
        if t == -1
    }
    pairs = [
        (int(t), int(p), int(n))
        for t, p, n in zip(matches.truth, matches.pred, matches.pixels, strict=True)
        if t > 0 and p > 0
    ]
    mine_class, theirs_class = (
        classes_of(truth, truth_class, mine, classes),
        classes_of(pred, pred_class, theirs, classes),
    )
    overlaps = [(t, p, n, mine[t] + theirs[p] - n - hidden.get(p, 0)) for t, p, n in pairs]
    matched = [
        (t, p, n / union)
        for t, p, n, union in overlaps
        if 2 * n > union and mine_class[t] == theirs_class[p]
    ]
    hits, extra, missed = (np.zeros(classes, np.int64) for _ in range(3))
    iou = np.zeros(classes, np.float64)
    for t, _, share in matched:
        hits[mine_class[t]] += 1
        iou[mine_class[t]] += share
    for t in mine.keys() - {t for t, _, _ in matched}:
        missed[mine_class[t]] += 1
    for p in theirs.keys() - {p for _, p, _ in matched}:
        if 2 * hidden.get(p, 0) <= theirs[p]:
            extra[theirs_class[p]] += 1
    visible = sum(hidden.get(p, 0) < size for p, size in theirs.items())
    return Objects(
        hits,
        extra,
        missed,
        iou,
        dsb_score([(n, union) for _, _, n, union in overlaps], len(mine), visible),
    )


def dsb_score(overlaps: list[tuple[int, int]], truth: int, pred: int) -> float:
    """The score of one image from (intersection, union) of every overlapping pair and the numbers
    of objects. Nothing on either side is 1.

    >>> dsb_score([(80, 100)], 1, 1)
    0.6
    """
    if not truth and not pred:
        return 1.0
    hits = [sum(20 * n > step * union for n, union in overlaps) for step in STEPS]
    return sum(hit / (truth + pred - hit) for hit in hits) / len(STEPS)


def classes_of(
    objects: NDArray[Any], labels: NDArray[Any], ids: dict[int, int], classes: int
) -> dict[int, int]:
    """The majority class of each object; 0 where it has none."""
    class_ids = tally(objects, labels)
    chosen = dict.fromkeys(ids, 0)
    most = dict.fromkeys(ids, 0)
    for object_id, label, pixels in zip(
        class_ids.truth.tolist(), class_ids.pred.tolist(), class_ids.pixels.tolist(), strict=True
    ):
        if object_id in ids and 0 <= label < classes and pixels > most[object_id]:
            chosen[object_id], most[object_id] = label, pixels
    return chosen


def _sizes(ids: Ints, pixels: Ints, objects: NDArray[np.bool_]) -> dict[int, int]:
    values, places = np.unique(ids[objects], return_inverse=True)
    return (
        dict(
            zip(
                values.tolist(),
                np.bincount(places, pixels[objects]).astype(np.int64).tolist(),
                strict=True,
            )
        )
        if len(values)
        else {}
    )


@dataclass
class Quality:
    """Objects of all images added up."""

    classes: int
    images: int = 0
    total: float = 0.0

    def __post_init__(self) -> None:
        self.hits, self.extra, self.missed = (np.zeros(self.classes, np.int64) for _ in range(3))
        self.iou = np.zeros(self.classes, np.float64)

    def add(self, image: Objects) -> None:
        """Count one image."""
        for name in ("hits", "extra", "missed", "iou"):
            getattr(self, name).__iadd__(getattr(image, name))
        self.images, self.total = self.images + 1, self.total + image.dsb_score

    def document(self, names: tuple[str, ...]) -> dict[str, Any]:
        """PQ, SQ, RQ over the classes with objects on either side, each of these classes, and
        dsb_score. NaN of nothing.
        """
        seen = np.flatnonzero(self.hits + self.extra + self.missed)
        rows = []
        for n in seen.tolist():
            hits, extra, missed = int(self.hits[n]), int(self.extra[n]), int(self.missed[n])
            sq, rq = (
                float(self.iou[n] / hits) if hits else 0.0,
                hits / (hits + extra / 2 + missed / 2),
            )
            rows.append(
                {
                    "name": names[n],
                    "pq": sq * rq,
                    "sq": sq,
                    "rq": rq,
                    "tp": hits,
                    "fp": extra,
                    "fn": missed,
                }
            )
        means = {
            key: float(np.mean([row[key] for row in rows])) if rows else float("nan")
            for key in ("pq", "sq", "rq")
        }
        return {
            **means,
            "dsb_score": self.total / self.images if self.images else float("nan"),
            "images": self.images,
            "classes": rows,
        }
