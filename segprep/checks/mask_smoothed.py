"""A mask was resized or rotated with smoothing: ids appear that lie between their neighbors.

Why: between class 1 and class 3 a rim of class 2 appears, or values that are not class ids.
Fix: resize the mask again with nearest neighbor from its original.
Source: F12.
"""

from collections.abc import Iterator

from segprep.checks._common.labels import cases, listed
from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG306", "error")


def find(survey: Survey) -> Iterator[Finding]:
    """Values without a 3 x 3 block of their own that lie between their neighbors' ids."""
    for pair, label in cases(survey, "smoothed"):
        strange = (set(label.values) - survey.ids if survey.ids else set()) or set(
            label.between or label.thin
        )
        yield RULE.finding(
            pair.stem,
            survey.name(pair.mask),
            f"values on borders only: {listed(label.values, strange)}",
            "make it again with nearest neighbor",
        )
