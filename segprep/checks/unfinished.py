"""The dataset holds an unfinished conversion, or its manifest is damaged.

Why: samples are missing or of two runs.
Fix: give the command of the conversion again; it resumes.
Source: segprep.json is written last.
"""

from collections.abc import Iterator

from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG112", "error")


def find(survey: Survey) -> Iterator[Finding]:
    """A staging folder, or a manifest that cannot be read."""
    if survey.unfinished:
        yield RULE.finding(
            "", ".segprep-incomplete", "an unfinished conversion", "re-run its command"
        )
    if survey.trouble:
        yield RULE.finding("", "segprep.json", survey.trouble.reason, survey.trouble.hint)
