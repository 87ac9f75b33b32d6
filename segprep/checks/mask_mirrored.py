"""A mask is mirrored or rotated relative to its image: only then do its borders fit the edges.

Why: the labels belong to other pixels; most often, EXIF rotated the image or the mask.
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
