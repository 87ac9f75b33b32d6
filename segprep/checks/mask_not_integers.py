"""A mask holds floats, negative values or numbers that are not finite.

Why: pixel values are class ids; casts wrap 256 to 0 and -1 to 255 without a word.
Fix: export the mask again as 8-bit PNG.
Source: F17.
"""

from collections.abc import Iterator

from segprep.checks._common.labels import cases
from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG108", "error")


def find(survey: Survey) -> Iterator[Finding]:
    """Masks whose samples are not whole numbers from 0."""
    for pair, label in cases(survey, "not-whole-numbers"):
        yield RULE.finding(
            pair.stem, survey.name(pair.mask), f"holds {label.fault}", "export it as 8-bit PNG"
        )
