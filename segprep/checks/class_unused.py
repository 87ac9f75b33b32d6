"""A class of the list occurs in no mask.

Why: it is never learned, and its IoU is undefined; often it was lost on the way.
Fix: drop it (segprep remap --drop), or look where its pixels went.
Source: F8, F29.
"""

import shlex
from collections.abc import Iterator

from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG311", "info")


def find(survey: Survey) -> Iterator[Finding]:
    """Names without a pixel anywhere."""
    if not survey.classes or not survey.labeled:
        return
    used = {value for pair in survey.labeled if pair.label for value in pair.label.values}
    unused = {
        value: name
        for value, name in enumerate(survey.classes.names)
        if value not in used and value != survey.classes.background
    }
    hint = "segprep remap " + " ".join(f"--drop {shlex.quote(name)}" for name in unused.values())
    for value, name in unused.items():
        yield RULE.finding("", "", f"class {value} ({name}) occurs in no mask", hint)
