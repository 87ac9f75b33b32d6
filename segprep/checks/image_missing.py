"""A mask has no image.

Why: the sample cannot be trained on; most often a file was renamed.
Fix: add the image, or remove the mask.
Source: F31.
"""

from collections.abc import Iterator

from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG202", "error", each=True)


def find(survey: Survey) -> Iterator[Finding]:
    """Masks without an image of their name."""
    for pair in survey.pairs:
        if pair.mask and not pair.image:
            yield RULE.finding(
                pair.stem,
                survey.name(pair.mask),
                f"no image has the name {pair.stem}",
                "add the image, or remove the mask",
            )
