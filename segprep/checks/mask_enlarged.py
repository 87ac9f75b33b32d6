"""A mask was enlarged from a smaller one: its borders change only at every second to fourth pixel.

Why: borders are staircases, off by a pixel or more.
Fix: export it at the image's size.
Source: F14.
"""

from collections import Counter
from collections.abc import Iterator

from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG314", "warning")


def find(survey: Survey) -> Iterator[Finding]:
    """Masks of a step that hardly any other mask has."""
    steps = Counter(pair.label.steps for pair in survey.labeled if pair.label)
    coarse = steps.total() - steps[1]
    if not 0 < coarse <= max(1, steps.total() // 2):
        return
    for pair in survey.labeled:
        if pair.label and pair.label.steps > 1:
            yield RULE.finding(
                pair.stem,
                survey.name(pair.mask),
                f"borders lie on a grid of {pair.label.steps} pixels, as after enlarging",
                "export it at the image's size",
                score=pair.label.steps,
            )
