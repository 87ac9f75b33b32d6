"""Are some masks of a set of two classes inverted? Images that look alike should have their classes
the same way round.

For each image, the difference of the mean colors of its two classes, in units of the image's own
spread; between an image and those of the most similar color histograms it should point the same
way, whatever the set: bright cells on dark, or dark on bright, or both.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from segprep.training.check.verdict import FEWEST, Reason
from segprep.training.data.pairs import ImagePair, brightest
from segprep.types import IGNORE

SIMILAR, BINS = 3, 16  # images that each is compared with; of a channel's histogram
CLEAR = 0.3  # spreads between the two means, below which an image tells nothing
# Share of comparisons that point opposite ways: at most .15 on clean sets, .30 and more with a
# fifth of the masks inverted; and comparisons per image that there have to be.
OPPOSITE, LEAST = 0.25, 1.5


def reasons(pairs: Sequence[ImagePair]) -> list[Reason]:
    """``mixed-polarity`` if, of two classes, look-alike images contradict each other."""
    values = set[int]().union(*(np.unique(pair.mask).tolist() for pair in pairs)) - {IGNORE}
    if len(values) != 2:
        return []
    rows = [row for pair in pairs if (row := _row(pair, *sorted(values))) is not None]
    if len(rows) < 2 * FEWEST:
        return []
    opposite = _opposite(*map(np.stack, zip(*rows, strict=True)))
    if len(opposite) < LEAST * len(rows) or opposite.mean() < OPPOSITE:
        return []
    text = (
        "images that look alike have their two classes the opposite way around"
        f" ({opposite.mean():.0%} of {len(opposite)} comparisons): some masks are inverted"
    )
    return [Reason("mixed-polarity", text, "doubtful")]


def _row(
    pair: ImagePair, first: int, second: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], np.bool_] | None:
    """(difference of the classes' mean colors (3,), histogram (3 * BINS,), whether the *second*
    class covers most of the picture's outline, or of all where that is ignored); None without both
    classes.
    """
    values = pair.image[::2, ::2] / brightest(pair.image.dtype)
    ids = pair.mask[::2, ::2]
    parts = values[ids == first], values[ids == second]
    if min(map(len, parts)) < 20:
        return None
    spread = values.reshape(-1, 3).std(0) + 0.02
    counts = [np.histogram(values[..., channel], BINS, (0, 1))[0] for channel in range(3)]
    outline = np.concatenate([ids[0], ids[-1], ids[:, 0], ids[:, -1]])
    if (outline == IGNORE).all():  # as of a round field of view
        outline = ids
    around = np.count_nonzero(outline == second) > np.count_nonzero(outline == first)
    histogram = np.sqrt(np.concatenate(counts) / ids.size)
    return (parts[1].mean(0) - parts[0].mean(0)) / spread, histogram, np.bool_(around)


def _opposite(
    differences: NDArray[np.float64], histograms: NDArray[np.float64], around: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """For each clear comparison of an image with its SIMILAR nearest: whether the two differ, in
    color and in the class *around* the picture: a white cat and a black one differ in color only.
    """
    distances = ((histograms[:, None] - histograms[None]) ** 2).sum(-1)
    np.fill_diagonal(distances, np.inf)
    lengths = np.linalg.norm(differences, axis=1)
    results = []
    for n, row in enumerate(distances):
        for other in row.argsort(kind="stable")[:SIMILAR]:
            if min(lengths[n], lengths[other]) > CLEAR:
                cosine = differences[n] @ differences[other] / (lengths[n] * lengths[other])
                results.append(bool(cosine < -0.5 and around[n] != around[other]))
    return np.array(results, bool)
