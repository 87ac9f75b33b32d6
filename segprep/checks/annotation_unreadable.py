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
    for file in survey.annotations:
        if file.trouble:
            yield RULE.finding(
                file.stem,
                survey.name(file.path),
                file.trouble.reason,
                file.trouble.hint or "restore it",
            )
