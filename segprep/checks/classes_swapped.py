"""Colors and positions suggest that two classes of an image are swapped, or inverted.

Why: this image teaches the opposite of all others.
Fix: look at it (segprep view); segprep remap swaps classes, for single masks export them again.
Source: F7, F39; color and place given the class, leaving the image out.
"""

from collections.abc import Iterator

from segprep.checks._common.labels import causes
from segprep.checks._common.likelihood import swaps
from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG605", "warning")


def find(survey: Survey) -> Iterator[Finding]:
    """Masks that two swapped classes would explain much better."""
    for stem, swap in swaps(survey).items():
        if stem in causes(survey):
            continue  # its values mean something else
        first, second = (survey.label_name(value) for value in swap.classes)
        yield RULE.finding(
            stem,
            survey.name(survey.pair(stem).mask),
            f"colors and places say that {first} and {second} are swapped",
            "look at it: segprep view",
            score=round(min(swap.score, 99.0), 2),
        )
