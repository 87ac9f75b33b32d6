"""A mask is mirrored or rotated against its image: only so its borders lie on the image's edges.

Why: the labels belong to other pixels; most often image or mask was turned by EXIF.
Fix: look at it (segprep view); turn the mask back, or export it again.
Source: F3; correlation of edge ranks with mask borders, against the rest of the dataset.
"""

from collections.abc import Iterator

from segprep.checks._common.fit import findings
from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG602", "warning")


def find(survey: Survey) -> Iterator[Finding]:
    """Masks that stand out in this way."""
    return findings(survey, RULE, "mirrored")
