"""A mask is background only, or ignored all over.

Why: a mask that is ignored all over teaches nothing; background only may be a negative, or an
annotation that was never drawn.
Fix: look at these images; segprep annotate opens them.
Source: F24.
"""

from collections.abc import Iterator

from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import IGNORE, Finding

RULE = Rule("SEG309", "warning")


def find(survey: Survey) -> Iterator[Finding]:
    """Masks of one value: 255 (an error), the background, or a class that fills the image."""
    lonely = [p for p in survey.labeled if p.label and len(p.label.values) == 1]
    for pair in lonely:
        assert pair.label
        (value,) = pair.label.values
        if value == IGNORE:
            yield RULE.finding(
                pair.stem,
                survey.name(pair.mask),
                "ignored (255) all over",
                "annotate it, or remove it",
                severity="error",
            )
        elif len(lonely) < len(survey.labeled):
            ground = value == survey.background
            what = "background only" if ground else f"{survey.label_name(value)} all over"
            yield RULE.finding(
                pair.stem,
                survey.name(pair.mask),
                f"{what} ({len(lonely)} of {len(survey.labeled)} masks are of one value)",
                "fine if the image shows nothing else; else annotate it",
                score=1 - len(lonely) / len(survey.labeled),
            )
    if lonely and len(lonely) == len(survey.labeled) > 1:
        yield RULE.finding(
            "",
            survey.name(lonely[0].mask),
            f"all {len(lonely)} masks are of one value",
            "export the masks again",
            severity="error",
        )
