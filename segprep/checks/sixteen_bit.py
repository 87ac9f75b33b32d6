"""A mask has 16 bits where ids end at 255, or where the other masks have 8.

Why: readers cut it to 8 bits: 256 becomes 0, or everything above 255 becomes 255.
Fix: if it holds instance ids, use the class mask; else save it as 8-bit PNG.
Source: F16, F17.
"""

from collections.abc import Iterator

from segprep.checks._common.labels import cases
from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG307", "error")


def find(survey: Survey) -> Iterator[Finding]:
    """16-bit masks with values beyond 255, or among 8-bit ones."""
    for pair, label in cases(survey, "sixteen-bit"):
        top = max(label.values, default=0)
        yield RULE.finding(
            pair.stem,
            survey.name(pair.mask),
            f"16 bits, {len(label.values)} values up to {top}",
            "use the class mask instead of instance ids" if top > 255 else "save it as 8-bit PNG",
        )
