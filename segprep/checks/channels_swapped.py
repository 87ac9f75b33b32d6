"""An image's colors fit its classes only with red and blue swapped.

Why: it was saved by OpenCV from RGB (or read as BGR); the model sees blue skin and orange skies.
Fix: look at it (segprep view); export it again, or swap the channels back.
Source: F19; color given the class over all other images. A whole set that is swapped says nothing.
Nor do the colors of a mask that does not lie on its image.
"""

from collections.abc import Iterator

from segprep.checks._common.fit import judged
from segprep.checks._common.likelihood import swapped_channels
from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG607", "warning")


def find(survey: Survey) -> Iterator[Finding]:
    """Images that swapped channels would explain much better."""
    fit = judged(survey)
    for stem, swap in () if fit.whole else swapped_channels(survey).items():
        if stem in fit.misfits:
            continue  # the colors are those of other classes
        yield RULE.finding(
            stem,
            survey.name(survey.pair(stem).image),
            "its colors are like those of the other images with red and blue swapped",
            "look at it: segprep view",
            score=round(min(swap.score, 99.0), 2),
        )
