"""A mask fits its image in no position: it may belong to another image.

Why: the labels are noise for the trainer.
Fix: look at it (segprep view); pair it with its own image.
Source: F4, F5; correlation of edge ranks with mask borders, against the rest of the dataset.
"""

from collections.abc import Iterator

from segprep.checks._common.fit import findings
from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG603", "warning")


def find(survey: Survey) -> Iterator[Finding]:
    """Masks that stand out in this way."""
    return findings(survey, RULE, "unrelated")
