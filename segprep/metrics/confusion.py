"""Exact confusion matrices over any number of images, and their scores (:mod:`formulas` has the
definitions).
"""

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from segprep.errors import SegprepError, UsageError, require
from segprep.metrics.counting import Ints, Tally, gathered, tally
from segprep.metrics.scores import Absent, Policy, Scores, from_sums
from segprep.types import IGNORE, Classes

DENSE = (
    4_096  # classes up to which the matrix is one array; beyond, only the pairs that occur are kept
)
MOST = 65_536
TOGETHER = 1 << 20  # keys that may wait


def size_of(classes: "int | Sequence[str] | Classes") -> int:
    """The number of classes. Raises UsageError unless 1 to 65,536."""
    size = (
        classes
        if isinstance(classes, int)
        else len(classes.names)
        if isinstance(classes, Classes)
        else len(classes)
    )
    if not 1 <= size <= MOST:
        raise UsageError(
            "bad-classes",
            f"{size} classes; 1 to {MOST:,} are possible",
            "give the number of classes, or their names",
        )
    return size


def check_ignore(ignore: int | None, size: int) -> None:
    """Raise UsageError if *ignore* is one of the *size* class ids."""
    if ignore is not None and 0 <= ignore < size:
        raise UsageError(
            "ignore-is-class",
            f"--ignore-index {ignore} lies inside the class range 0..{size - 1}: dropping its truth"
            " pixels would turn the IoU of the others into recall",
            f"to leave class {ignore} out of the mean use --exclude-class {ignore}; for masks"
            " without ignored pixels --ignore-index none",
        )


class _Cells:
    """The cells of a large matrix that are not 0: keys (row times size plus column) and counts, put
    together now and then.
    """

    def __init__(self) -> None:
        self._parts: list[tuple[Ints, Ints]] = []
        self._waiting = 0

    def add(self, keys: Ints, counts: Ints) -> None:
        """Add *counts* (K,) at *keys* (K,)."""
        self._parts.append((keys, counts))
        self._waiting += len(keys)
        if self._waiting > 2 * len(self._parts[0][0]) + TOGETHER:
            self.together()

    def together(self) -> tuple[Ints, Ints]:
        """All keys, sorted, each once, with its count."""
        if len(self._parts) != 1:
            none = np.zeros(0, np.int64)
            keys, counts = (
                np.concatenate([none, *(part[n] for part in self._parts)]) for n in (0, 1)
            )
            self._parts = [gathered(keys, counts)]
        self._waiting = len(self._parts[0][0])
        return self._parts[0]


class ConfusionMatrix:
    """Exact counts over any number of images: rows truth, columns prediction.

    Ignored truth pixels are dropped (*ignored* keeps what was predicted there). Predictions that
    are not class ids are in no cell of the matrix; *invalid* (C,) counts them by true class, and
    they lower the scores of that class.

    >>> matrix = ConfusionMatrix(2)
    >>> matrix.update(np.array([[0, 1, 255]]), np.array([[0, 0, 1]]))
    >>> matrix.matrix.tolist(), matrix.valid, matrix.ignored_pixels
    ([[1, 0], [1, 0]], 2, 1)
    >>> float(matrix.scores().miou)
    0.25
    """

    def __init__(
        self, classes: "int | Sequence[str] | Classes", ignore: int | None = IGNORE
    ) -> None:
        self.size, self.ignore = size_of(classes), ignore
        check_ignore(ignore, self.size)
        self.names = (
            tuple(str(n) for n in range(self.size))
            if isinstance(classes, int)
            else classes.names
            if isinstance(classes, Classes)
            else tuple(classes)
        )
        self._cells: Any = (
            np.zeros((self.size, self.size), np.int64) if self.size <= DENSE else _Cells()
        )
        self.invalid: Ints = np.zeros(self.size, np.int64)
        self.ignored: Ints = np.zeros(self.size + 1, np.int64)  # the last: invalid there too

    @property
    def matrix(self) -> Any:
        """(C, C) int64, rows truth: an array, or beyond 4,096 classes a ``scipy.sparse.csr_array``.

        Raises MissingExtraError for the latter without the extra ``report``.
        """
        if self.size <= DENSE:
            return self._cells
        require(f"a confusion matrix beyond {DENSE:,} classes", "scipy", "report")
        from scipy.sparse import coo_array

        keys, values = self._cells.together()
        return coo_array(
            (values, (keys // self.size, keys % self.size)), shape=(self.size, self.size)
        ).tocsr()

    @property
    def valid(self) -> int:
        """Pixels in the matrix."""
        return int((self._cells if self.size <= DENSE else self._cells.together()[1]).sum())

    @property
    def ignored_pixels(self) -> int:
        """Pixels that were dropped because the truth ignores them."""
        return int(self.ignored.sum())

    @property
    def invalid_pixels(self) -> int:
        """Pixels with a prediction that is not a class, where the truth has one."""
        return int(self.invalid.sum())

    def update(self, truth: Any, pred: Any) -> None:
        """Count one image: two arrays of integers of one shape.

        Raises SegprepError for a truth value that is neither class nor ignore, ValueError for
        shapes.
        """
        self.add(tally(np.asarray(truth), np.asarray(pred)))

    def add(self, counts: Tally) -> tuple[int, int]:
        """Count what :func:`counting.tally` found in one image: its ignored pixels, and the others
        whose prediction is not a class.
        """
        plain = counts.plain(self.size, self.ignore)
        rest = counts.pred[max(plain, 0) :]
        if plain >= 0 and not (len(rest) and (rest[0] < 0 or rest[-1] >= self.size)):
            self._put(counts.truth[:plain], counts.pred[:plain], counts.pixels[:plain])
            self.ignored[rest] += counts.pixels[plain:]  # sorted, and distinct, for one truth
            return int(counts.pixels[plain:].sum()), 0
        dropped = (
            counts.truth == self.ignore
            if self.ignore is not None
            else np.zeros(len(counts.truth), np.bool_)
        )
        valid = (counts.truth >= 0) & (counts.truth < self.size)
        if unknown := sorted(set(counts.truth[~valid & ~dropped].tolist())):
            raise SegprepError(
                "unknown-value",
                f"the truth holds values that are not class ids: {listed(unknown)}",
                "give more --classes, or the right --ignore-index",
            )
        inside = (counts.pred >= 0) & (counts.pred < self.size)
        right, wrong = valid & inside, valid & ~inside
        self._put(counts.truth[right], counts.pred[right], counts.pixels[right])
        ignored, invalid = counts.pixels[dropped], counts.pixels[wrong]
        np.add.at(self.ignored, np.where(inside, counts.pred, self.size)[dropped], ignored)
        np.add.at(self.invalid, counts.truth[wrong], invalid)
        return int(ignored.sum()), int(invalid.sum())

    def _put(self, rows: Ints, columns: Ints, pixels: Ints) -> None:
        if self.size <= DENSE:
            self._cells[rows, columns] += pixels  # the pairs of a tally are distinct
        else:
            self._cells.add(rows * self.size + columns, pixels)

    def __add__(self, other: "ConfusionMatrix") -> "ConfusionMatrix":
        """The counts of both. Raises ValueError for other classes or another ignore index."""
        if (self.size, self.ignore) != (other.size, other.ignore):
            raise ValueError(
                f"{self.size} classes with ignore {self.ignore}, and {other.size} with"
                f" {other.ignore}, cannot be added"
            )
        both = ConfusionMatrix(self.names, self.ignore)
        both.invalid, both.ignored = self.invalid + other.invalid, self.ignored + other.ignored
        if self.size <= DENSE:
            both._cells = self._cells + other._cells
        else:
            for part in (self._cells, other._cells):
                both._cells.add(*part.together())
        return both

    def scores(self, policy: Policy | None = None, **options: Any) -> Scores:
        """Every score under *policy*, or under one made from keywords (``absent="zero"``,
        ``excluded=(0,)``).
        """
        return from_sums(*self.sums(policy := policy or Policy(**options)), policy)

    def sums(self, policy: Policy) -> tuple[Ints, Ints, Ints]:
        """Diagonal, row sums with invalid predictions, column sums, each int64 (C,), as *policy*
        counts.
        """
        matrix = self.matrix
        same, rows, columns = (
            matrix.diagonal().copy(),
            np.asarray(matrix.sum(1)).reshape(-1) + self.invalid,
            np.asarray(matrix.sum(0)).reshape(-1),
        )
        for lost in policy.void:
            row = matrix[[lost]] if self.size <= DENSE else matrix[[lost]].toarray()
            columns = columns - row.reshape(-1)
            same[lost] = rows[lost] = 0
        if policy.ignored_as is not None:
            same[policy.ignored_as] += self.ignored[policy.ignored_as]
            rows[policy.ignored_as] += self.ignored.sum()
            columns = columns + self.ignored[:-1]
        return same, rows, columns


def listed(values: Iterable[object], most: int = 6) -> str:
    """The first few *values* as text."""
    shown = list(values)
    return ", ".join(map(str, shown[:most])) + (
        f" and {len(shown) - most} more" if len(shown) > most else ""
    )


def count(
    truth: NDArray[Any],
    pred: NDArray[Any],
    classes: int,
    ignore: int | None = IGNORE,
    *,
    invalid: Literal["error", "count"] = "error",
) -> Any:
    """The confusion matrix (C, C) int64 of one image, rows truth; beyond 4,096 classes a
    ``scipy.sparse.csr_array``.

    Ignored truth pixels are dropped. A prediction that is not a class is an error, or with
    *invalid* "count" excluded from the matrix. Raises SegprepError, ValueError.

    >>> count(np.array([0, 0, 1, 255]), np.array([0, 1, 1, 1]), 2).tolist()
    [[1, 1], [0, 1]]
    """
    matrix = ConfusionMatrix(classes, ignore)
    matrix.update(truth, pred)
    if matrix.invalid_pixels and invalid == "error":
        raise SegprepError(
            "invalid-prediction",
            f"{matrix.invalid_pixels} predicted values are not class ids of 0..{classes - 1}",
            'invalid="count" counts them apart',
        )
    return matrix.matrix


def scores(matrix: Any, absent: Absent = "nan", exclude: Sequence[int] = ()) -> Scores:
    """Every score of a confusion matrix (C, C) of integers, rows truth.

    >>> found = scores(np.array([[3, 1], [0, 4]]))
    >>> [round(float(one), 4) for one in (*found.iou, found.miou, found.pixel_accuracy)]
    [0.75, 0.8, 0.775, 0.875]
    """
    cells = matrix if hasattr(matrix, "tocsr") else np.asarray(matrix, np.int64)
    rows, columns = (np.asarray(cells.sum(axis)).reshape(-1) for axis in (1, 0))
    return from_sums(cells.diagonal(), rows, columns, Policy(absent, tuple(exclude)))


def class_rows(matrix: NDArray[np.int64], names: Sequence[str]) -> list[dict[str, Any]]:
    """Scores per class of a confusion matrix (C, C)."""
    result = scores(matrix)
    kinds = {
        "iou": result.iou,
        "dice": result.dice,
        "precision": result.precision,
        "recall": result.recall,
    }
    pixels = matrix.sum(1)
    return [
        {
            "name": name,
            **{kind: float(values[n]) for kind, values in kinds.items()},
            "pixels": int(pixels[n]),
        }
        for n, name in enumerate(names)
    ]
