"""The same image has two different masks.

Why: whatever the model predicts, one of the two masks contradicts it.
Fix: keep the right one; segprep annotate opens them.
Source: F26.
"""

from collections.abc import Iterator

from segprep.checks._common.duplicates import groups
from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG502", "error")


def find(survey: Survey) -> Iterator[Finding]:
    """Groups of equal pixels whose masks differ."""
    for stems in groups(survey):
        labels = {stem: survey.pair(stem).label for stem in stems}
        first = stems[0]
        for stem in stems[1:]:
            label, other = labels[first], labels[stem]
            if label and other and label.pixels != other.pixels:
                yield RULE.finding(
                    stem,
                    survey.name(survey.pair(stem).mask),
                    f"the image is that of {first}, the mask is not",
                    "keep the right one of the two",
                )
