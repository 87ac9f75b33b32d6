"""An image cannot be read: damaged, truncated, empty, or not an image.

Why: training stops at this file, or reads half a picture.
Fix: restore the file from its origin, or remove the sample.
Source: F22; the decoder's own words are in the message.
"""

from collections.abc import Iterator

from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG101", "error", each=True)


def find(survey: Survey) -> Iterator[Finding]:
    """Images that the decoder refuses."""
    for pair in survey.pairs:
        if pair.image and (trouble := pair.image_trouble):
            yield RULE.finding(
                pair.stem,
                survey.name(pair.image),
                trouble.reason,
                trouble.hint or "restore the file",
            )
