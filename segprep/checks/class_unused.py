"""A class of the list occurs in no mask.

Why: it is never learned, and its IoU is undefined; often it was lost on the way.
Fix: drop it (segprep remap --drop), or look where its pixels went. Where it is the only one that is
missing and 255 fills areas, it may be written as 255, which means ignored (segprep remap --ids).
Source: F8, F29.
"""

import shlex
from collections.abc import Iterator

from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import IGNORE, Finding

RULE = Rule("SEG311", "info")
LEAST = 0.2  # of the masks


def find(survey: Survey) -> Iterator[Finding]:
    """Names without a pixel anywhere; a warning where 255 may be that class."""
    if not survey.classes or not survey.labeled:
        return
    used = {value for pair in survey.labeled if pair.label for value in pair.label.values}
    unused = {
        value: name
        for value, name in enumerate(survey.classes.names)
        if value not in used and value != survey.classes.background
    }
    hint = "segprep remap " + " ".join(f"--drop {shlex.quote(name)}" for name in unused.values())
    filled = _filled(survey) if len(unused) == 1 and len(used) > 2 else 0
    for value, name in unused.items():
        text = f"class {value} ({name}) occurs in no mask"
        if filled < LEAST * len(survey.labeled):
            yield RULE.finding("", "", text, hint)
            continue
        ids = [f"{n}={other}" for n, other in enumerate(survey.classes.names)]
        ids[value] = f"{IGNORE}={name}"
        yield RULE.finding(
            "",
            "",
            f"{text}, but 255 (ignored) fills areas in {filled} of {len(survey.labeled)}",
            f"look at some; if they are {name}: segprep remap DATASET OUT"
            f" --ids {shlex.quote(','.join(ids))}",
            severity="warning",
        )


def _filled(survey: Survey) -> int:
    """How many masks have 255 as more than a border or a frame."""
    return sum(
        IGNORE in pair.label.values.keys() - pair.label.thin
        and 2 * pair.label.rim.get(IGNORE, 0) < sum(pair.label.rim.values())
        for pair in survey.labeled
        if pair.label
    )
