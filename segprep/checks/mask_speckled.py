"""A mask is full of specks: far more single pixels than the other masks have.

Why: noise of a threshold, of JPEG or of a broken export is taught as objects.
Fix: look at it (segprep view); export it again, or remove what is smaller than an object.
Source: F37; pixels without a neighbor of their class, against the median of the set.
"""

from array import array
from collections.abc import Iterator

import numpy as np

from segprep.checks._common.fit import LEAST, median
from segprep.checks._common.labels import causes
from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG315", "warning")
TIMES, FEWEST = 5.0, 20  # as many as the median, and specks at all
DEVIATIONS = 6.0


def find(survey: Survey) -> Iterator[Finding]:
    """Masks with several times the specks of the others, by their area. Those of one value have
    none, and say nothing of what is usual.
    """
    facts = array("q")
    for n, pair in enumerate(survey.pairs):
        if (label := pair.label) and len(label.values) > 1 and pair.stem not in causes(survey):
            facts.extend((n, label.specks, label.width * label.height))
    masks = np.array(facts).reshape(-1, 3)
    if len(masks) < LEAST:
        return
    shares = 1000 * masks[:, 1] / masks[:, 2]
    middle = median(shares)
    spread = max(1.4826 * median(np.abs(shares - middle)), 0.05)
    for (number, specks, _), share in zip(masks.tolist(), shares.tolist(), strict=True):
        if specks >= FEWEST and share > max(TIMES * middle, middle + DEVIATIONS * spread):
            pair = survey.pairs[number]
            yield RULE.finding(
                pair.stem,
                survey.name(pair.mask),
                f"{specks} single pixels, {share:.2f} in a thousand; usual here are {middle:.2f}",
                "look at it: segprep view",
                score=round(share / max(middle, 0.05), 2),
            )
