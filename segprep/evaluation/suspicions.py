"""What a confusion matrix tells of predictions whose ids are most likely not those of the truth."""

import numpy as np

from segprep.metrics.confusion import DENSE, ConfusionMatrix
from segprep.metrics.counting import Ints
from segprep.types import Note

_MOST = 0.5  # share of the pixels, of all and of a class, that a shift has to put right


def suspicions(matrix: ConfusionMatrix) -> tuple[Note, ...]:
    """Notes on ids that are one too high or too low, on two classes that are swapped, and on
    predictions of 0 and 1 only for a truth of more classes; none beyond 4,096 classes.
    """
    if not 2 <= matrix.size <= DENSE or not matrix.valid:
        return ()
    counts = np.asarray(matrix.matrix)
    return (*_shifted(counts), *_two_values(counts))


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


def _two_values(counts: Ints) -> tuple[Note, ...]:
    classes = np.count_nonzero(counts.sum(1))
    if classes < 3 or counts[:, 2:].any() or not counts[:, 1].any():
        return ()
    message = (
        f"every predicted pixel is 0 or 1, the truth holds {classes} classes: black and white maps"
        " are not class ids"
    )
    return (Note("ids-suspicious", message),)
