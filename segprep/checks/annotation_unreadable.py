"""An annotation file is not valid JSON.

Why: its image is not converted.
Fix: restore it, or annotate the image again.
Source: strict JSON; the parser's own words are in the message.
"""

from collections.abc import Iterator

from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG801", "error")


def find(survey: Survey) -> Iterator[Finding]:
    """Files that could not be parsed."""
    for one in survey.annotations:
        if one.trouble:
            yield RULE.finding(
                one.stem,
                survey.name(one.path),
                one.trouble.reason,
                one.trouble.hint or "restore it",
            )
