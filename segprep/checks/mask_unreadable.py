"""A mask cannot be read: damaged, truncated, empty, of several frames, or not an image.

Why: training stops at this file, or takes its first frame.
Fix: export the mask again, or remove the sample.
Source: F22.
"""

from collections.abc import Iterator

from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG102", "error", each=True)


def find(survey: Survey) -> Iterator[Finding]:
    """Masks that the decoder refuses."""
    for pair in survey.pairs:
        if pair.mask and (trouble := pair.mask_trouble):
            yield RULE.finding(
                pair.stem, survey.name(pair.mask), trouble.reason, trouble.hint or "export it again"
            )
