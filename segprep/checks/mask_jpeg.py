"""A mask is or was saved as JPEG.

Why: compression smears class ids into values that no one drew.
Fix: export the masks again as PNG; what JPEG lost cannot be recovered exactly.
Source: F13.
"""

from collections.abc import Iterator

from segprep.checks._common.labels import cases
from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG114", "error")


def find(survey: Survey) -> Iterator[Finding]:
    """JPEG files, and masks whose stray values ring around the true ones."""
    for pair, label in cases(survey, "jpeg"):
        text = (
            "is a JPEG file" if label.format == "JPEG" else "went through JPEG before it became PNG"
        )
        yield RULE.finding(
            pair.stem,
            survey.name(pair.mask),
            f"{text}: {len(label.values)} pixel values",
            "export it again as PNG",
        )
