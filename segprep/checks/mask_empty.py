"""A mask is entirely background, or entirely ignored.

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
MANY = 0.25  # of all masks: so many are negatives by plan, or images of one class each


def find(survey: Survey) -> Iterator[Finding]:
    """Masks of one value: 255 (an error), the background, or a class that fills the image."""
    uniform = [
        (pair, next(iter(pair.label.values)))
        for pair in survey.labeled
        if pair.label and len(pair.label.values) == 1
    ]
    count, total = len(uniform), len(survey.labeled)
    alike = {value for _, value in uniform}
    if count == total > 1:
        yield _whole(survey, count, alike)
    for pair, value in uniform:
        if value == IGNORE:
            yield RULE.finding(
                pair.stem,
                survey.name(pair.mask),
                "ignored (255) all over",
                "annotate it, or remove it",
                severity="error",
            )
        elif count < total:
            yield RULE.finding(
                pair.stem,
                survey.name(pair.mask),
                f"{_what(survey, value)} ({count} of {total} masks are of one value)",
                "fine if the image shows nothing else; else annotate it",
                score=1 - count / total,
                severity="warning" if count < MANY * total else "info",
            )


def _whole(survey: Survey, count: int, values: set[int]) -> Finding:
    """All masks are of one value: the same one in all, or the class of each image."""
    classes = values - {IGNORE} or values
    if len(classes) == 1:
        return RULE.finding(
            "",
            survey.name(None),
            f"all {count} masks are {_what(survey, *classes)}",
            "annotate the images, or export the masks again",
            severity="error",
        )
    return RULE.finding(
        "",
        survey.name(None),
        f"each of the {count} masks is of one value ({len(classes)} in all), without any border",
        "fine if each image shows one class only; else annotate the images",
    )


def _what(survey: Survey, value: int) -> str:
    if value == IGNORE:
        return "ignored (255) all over"
    ground = value == survey.background
    return "background only" if ground else f"{survey.label_name(value)} all over"
