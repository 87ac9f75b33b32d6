"""A mask is mirrored or rotated against its image: only so its borders lie on the image's edges.

Why: the labels belong to other pixels; most often image or mask was turned by EXIF.
Fix: look at it (segprep view); turn the mask back, or export it again.
Source: F3; correlation of edge ranks with mask borders, against the rest of the dataset.
"""

from collections.abc import Iterator

from segprep.checks._common.fit import judged
from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG602", "warning")


def find(survey: Survey) -> Iterator[Finding]:
    """Masks that stand out in this way."""
    for misfit in judged(survey).misfits.values():
        if misfit.kind == "mirrored":
            yield RULE.finding(
                misfit.stem,
                survey.name(survey.by_stem[misfit.stem].mask),
                misfit.detail,
                "look at it: segprep view",
                score=misfit.score,
            )
