"""An image is far darker, brighter or flatter than the rest of the dataset.

Why: another gamma, another camera or a failed exposure; the model sees few like it.
Fix: look at it; correct the exposure, or leave it in if it is meant.
Source: F20.
"""

from array import array
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from segprep.checks._common.fit import median
from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG606", "warning")


def find(survey: Survey) -> Iterator[Finding]:
    """Images whose mean or spread of brightness lies far outside the others'."""
    facts = array("d")
    for n, pair in enumerate(survey.pairs):
        if (photo := pair.photo) and photo.spread > 0:
            facts.extend((n, sum(photo.mean) / 3, photo.spread))
    photos = np.array(facts).reshape(-1, 3)
    if len(photos) < 20:
        return
    means, spreads = photos[:, 1], np.log(photos[:, 2] + 1)
    outliers = dict[str, Finding]()
    for name, values, least, far in (
        ("brightness", means, 40.0, 6.0),
        ("brightness", _stops(means), 1.5, 4.5),
        ("contrast", spreads, 1.0, 6.0),
    ):
        distance = np.abs(values - median(values))
        spread = 1.4826 * median(distance)
        outside = np.flatnonzero((distance > least) & (distance > far * spread))
        if len(outside) > max(1, len(photos) // 20):
            continue  # not outliers but a second kind of image
        for n in outside.tolist():
            pair = survey.pairs[int(photos[n, 0])]
            finding = RULE.finding(
                pair.stem,
                survey.name(pair.image),
                f"its {name} lies far from that of the others",
                "look at it: segprep view",
                score=round(float(distance[n] / max(spread, 1e-6)), 2),
            )
            outliers.setdefault(pair.stem, finding)
    yield from outliers.values()


def _stops(means: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means of brightness, 0 to 255, on a scale without ends, where another gamma is a shift."""
    share = (means + 2.5) / 260
    return np.asarray(np.log(share / (1 - share)))
