"""A split has no entry.

Why: there is nothing to train on, or nothing to score.
Fix: segprep split --overwrite, with more samples or another ratio.
Source: F32.
"""

from collections.abc import Iterator

from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.dataset.tree import SPLITS
from segprep.types import Finding

RULE = Rule("SEG409", "warning")


def find(survey: Survey) -> Iterator[Finding]:
    """Lists without entries; an error for train."""
    for file in survey.lists:
        if file.name in SPLITS and not file.entries and not file.trouble:
            yield RULE.finding(
                "",
                survey.name(file.path),
                f"{file.name} is empty",
                "segprep split --overwrite",
                severity="error" if file.name == "train" else "warning",
            )
