"""An image has a single color.

Why: there is nothing in it to learn from; most often a blank scan or a failed export.
Fix: restore the image, or remove the sample.
Source: F21.
"""

from collections.abc import Iterator

from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG105", "error", each=True)


def find(survey: Survey) -> Iterator[Finding]:
    """Images whose values are all the same, and as warnings those that hardly vary."""
    for pair, photo in survey.images():
        low, high = photo.span
        if (photo.spread == 0 and high - low <= 2) or (photo.levels == 1 and photo.spread < 0.5):
            yield RULE.finding(
                pair.stem, survey.name(pair.image), "one color all over", "restore it, or remove it"
            )
        elif photo.spread < 2 and photo.levels <= 6:
            yield RULE.finding(
                pair.stem,
                survey.name(pair.image),
                f"nearly one color (standard deviation {photo.spread:.1f} of 255)",
                "look at it: a blank scan?",
                score=2 - photo.spread,
                severity="warning",
            )
