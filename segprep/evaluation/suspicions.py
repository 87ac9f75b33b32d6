"""What a confusion matrix tells of predictions whose ids are most likely not those of the truth."""

import numpy as np

from segprep.metrics.confusion import DENSE, ConfusionMatrix
from segprep.metrics.counting import Ints
from segprep.types import Note

_MOST = 0.5  # share of the pixels, of all and of a class, that a shift has to put right
_LISTED = 6  # classes that are named


def suspicions(matrix: ConfusionMatrix) -> tuple[Note, ...]:
    """Notes on ids that are one too high or too low, on classes that are swapped or in another
    order, and on predictions of 0 and 1 only for a truth of more classes; none beyond 4,096
    classes.
    """
    if not 2 <= matrix.size <= DENSE or not matrix.valid:
        return ()
    counts = np.asarray(matrix.matrix)
    return (*(_shifted(counts) or _reordered(counts)), *_two_values(counts))


def _shifted(counts: Ints) -> tuple[Note, ...]:
    """A note if most pixels, and most of two classes, are right with 1 added or subtracted."""
    total, rows = int(counts.sum()), counts.sum(1)
    right = int(np.trace(counts))
    if len(counts) == 2:
        options = {"0 and 1 swapped": np.array([counts[0, 1], counts[1, 0]])}
    else:
        ends = np.zeros(1, np.int64)
        options = {
            "1 subtracted": np.concatenate([np.diagonal(counts, 1), ends]),
            "1 added": np.concatenate([ends, np.diagonal(counts, -1)]),
        }
    for change, diagonal in options.items():
        share = int(diagonal.sum()) / total
        most = np.count_nonzero(diagonal > _MOST * rows)
        if share > max(_MOST, 2 * right / total) and most >= 2:
            message = (
                f"with {change}, {share:.1%} of the pixels would be right instead of"
                f" {right / total:.1%}: do the predicted ids mean what those of the truth mean?"
            )
            return (Note("ids-suspicious", message),)
    return ()


def _reordered(counts: Ints) -> tuple[Note, ...]:
    """A note if some classes are mostly predicted as one another, each as a different one."""
    rows, likeliest = counts.sum(1), counts.argmax(1)
    moved = {
        int(truth): int(likeliest[truth])
        for truth in np.flatnonzero(rows)
        if likeliest[truth] != truth and counts[truth, likeliest[truth]] > _MOST * rows[truth]
    }
    if not moved or set(moved) != set(moved.values()):
        return ()
    truths, preds = list(moved), list(moved.values())
    total = int(rows[truths].sum())
    share, right = (int(counts[truths, ids].sum()) / total for ids in (preds, truths))
    pairs = ", ".join(f"{pred} for {truth}" for truth, pred in list(moved.items())[:_LISTED])
    message = (
        f"the classes seem to be in another order: predictions hold {pairs}"
        f"{', …' if len(moved) > _LISTED else ''}; read so, {share:.1%} of these classes' pixels"
        f" would be right instead of {right:.1%}"
    )
    return (Note("ids-suspicious", message),)


def _two_values(counts: Ints) -> tuple[Note, ...]:
    classes = np.count_nonzero(counts.sum(1))
    if classes < 3 or counts[:, 2:].any() or not counts[:, 1].any():
        return ()
    message = (
        f"every predicted pixel is 0 or 1, the truth holds {classes} classes: black and white maps"
        " are not class ids"
    )
    return (Note("ids-suspicious", message),)
