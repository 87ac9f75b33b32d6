"""All masks of the dataset are shifted, mirrored or mixed up in the same way.

Why: something went wrong in the whole export; a model may even learn a shift.
Fix: export the masks again, or pair them with their own images.
Source: F2 to F5; a shift of one pixel of all masks cannot be known from the data.
"""

from collections.abc import Iterator

from segprep.checks._common.fit import judged
from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG604", "warning")


def find(survey: Survey) -> Iterator[Finding]:
    """One finding about the dataset."""
    if (whole := judged(survey).whole) and not survey.moved_on:
        kind, detail, score = whole
        yield RULE.finding(
            "",
            "",
            f"the masks look {kind}: {detail}",
            "look at some: segprep view",
            score=round(score, 2),
        )
