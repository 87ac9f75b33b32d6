"""Image and mask are spelled differently: case, or composed and decomposed letters.

Why: they pair on one system and not on another.
Fix: rename one of them.
Source: F31, F33; Unicode NFC.
"""

from collections.abc import Iterator

from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.names import stem_of
from segprep.types import Finding

RULE = Rule("SEG205", "warning", each=True)


def find(survey: Survey) -> Iterator[Finding]:
    """Pairs whose stems are equal only without case, or in NFC."""
    if survey.kind != "tree":
        return
    for pair in survey.pairs:
        if pair.image and pair.mask and stem_of(pair.image.name) != stem_of(pair.mask.name):
            yield RULE.finding(
                pair.stem,
                survey.name(pair.mask),
                f"its image is spelled {pair.image.name!r}",
                "rename one of them so that both are equal",
            )
