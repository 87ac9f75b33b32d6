"""A mask was resized or rotated with smoothing: ids appear that lie between their neighbors.

Why: between class 1 and class 3 a rim of class 2 appears, or values that are not class ids. A
class that is such a rim in every mask is a warning: it may have been drawn so.
Fix: resize the mask again with nearest neighbor from its original.
Source: F12.
"""

from collections.abc import Iterator

from segprep.checks._common.labels import cases, context, listed
from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG306", "error")
LEAST_MASKS = 3  # with a class on borders only, before the class itself is doubted


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
            "export it again with nearest neighbor",
        )
    yield from _phantoms(survey)


def _phantoms(survey: Survey) -> Iterator[Finding]:
    """Classes that no mask shows as a region, only as such a rim: the class list may know them, but
    a border class that was drawn is rare.
    """
    masks = context(survey)
    for value in sorted(masks.between.keys() - masks.thick.keys()):
        count, rims = masks.used[value], masks.between[value]
        if rims < LEAST_MASKS or 2 * rims < count:
            continue
        yield RULE.finding(
            "",
            "",
            f"{survey.label_name(value)} is in {count} masks, in all of them only as a rim between"
            " a smaller and a larger id, as interpolation makes it",
            "unless it was drawn as a border, export the masks again with nearest neighbor",
            severity="warning",
        )
