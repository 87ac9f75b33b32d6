"""A mask is shifted relative to its image: moved by a few pixels, its borders fit the edges.

Why: borders are learned in the wrong place. Found from about a fiftieth of the image on.
Fix: look at it (segprep view); export the mask again.
Source: F2; correlation of edge ranks with mask borders, against the rest of the dataset.
"""

from collections.abc import Iterator

from segprep.checks._common.fit import findings
from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG601", "warning")


def find(survey: Survey) -> Iterator[Finding]:
    """Masks that stand out in this way."""
    return findings(survey, RULE, "shifted")
