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
    masks = [pair for pair in survey.labeled if pair.label and len(pair.label.values) > 1]
    bare = [pair for pair in masks if pair.label and IGNORE not in pair.label.values]
    bare = [pair for pair in bare if pair.stem not in causes(survey)]
    if len(masks) < 20 or not 0 < len(bare) <= len(masks) // 20:
        return
    for pair in bare:
        yield RULE.finding(
            pair.stem,
            survey.name(pair.mask),
            f"no ignored pixel (255); {len(masks) - len(bare)} of {len(masks)} masks have some",
            "export it like the others",
            score=1 - len(bare) / len(masks),
        )
