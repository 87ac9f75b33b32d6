"""A mask lacks the ignored border that nearly all others have.

Why: it came from another export; its border pixels are taken for a class.
Fix: export it like the others.
Source: F15.
"""

from collections.abc import Iterator

from segprep.checks._common.labels import causes
from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import IGNORE, Finding

RULE = Rule("SEG312", "warning")


def find(survey: Survey) -> Iterator[Finding]:
    """Masks without 255 in a set where at least 19 of 20 have it."""
    bare, count = [], 0
    for number, pair in enumerate(survey.pairs):
        values = pair.label.values if pair.label else {}
        count += len(values) > 1
        if len(values) > 1 and IGNORE not in values and pair.stem not in causes(survey):
            bare.append(number)
    if count < 20 or not 0 < len(bare) <= count // 20:
        return
    for pair in map(survey.pairs.__getitem__, bare):
        yield RULE.finding(
            pair.stem,
            survey.name(pair.mask),
            f"no ignored pixel (255); {count - len(bare)} of {count} masks have some",
            "export it like the others",
            score=1 - len(bare) / count,
        )
