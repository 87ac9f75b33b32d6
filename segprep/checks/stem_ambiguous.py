"""Two files could be the image (or the mask) of a sample.

Why: tools pick either, by extension or by order.
Fix: remove or rename one of them.
Source: F31; names are compared without case, as file systems do.
"""

from collections.abc import Iterator

from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG204", "error", each=True)


def find(survey: Survey) -> Iterator[Finding]:
    """Samples with several files of one stem."""
    for pair in survey.pairs:
        if pair.rivals:
            names = ", ".join(survey.name(path) for path in pair.rivals[:3])
            yield RULE.finding(
                pair.stem,
                survey.name(pair.image or pair.mask),
                f"could also be {names}",
                "keep one of them",
            )
