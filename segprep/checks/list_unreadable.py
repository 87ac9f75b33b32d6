"""A list in ImageSets/Segmentation cannot be read.

Why: trainers stop at it, or read names that no file has.
Fix: save it as UTF-8, one name per line.
Source: F32.
"""

from collections.abc import Iterator

from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG401", "error")


def find(survey: Survey) -> Iterator[Finding]:
    """Lists that are not UTF-8 text."""
    for file in survey.lists:
        if file.trouble:
            yield RULE.finding("", survey.name(file.path), file.trouble.reason, file.trouble.hint)
