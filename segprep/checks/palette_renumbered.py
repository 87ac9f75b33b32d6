"""A mask's palette is in another order than those of the other masks.

Why: an image editor or a GIF renumbered the colors, so the same index means another class.
Fix: export the mask again, or read it by its colors: segprep convert colormap.
Source: F11.
"""

from collections.abc import Iterator

from segprep.checks._common.palettes import renumbered
from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG305", "error")


def find(survey: Survey) -> Iterator[Finding]:
    """Palettes that at most a tenth of the masks have, where most have another."""
    few, usual, most = renumbered(survey)
    for pair in few:
        yield RULE.finding(
            pair.stem,
            survey.name(pair.mask),
            f"its palette differs from that of {most} other masks"
            if usual
            else f"it has a palette of its own; {most} other masks are gray, without one",
            "export it again, or read it by its colors: segprep convert colormap",
            severity="error" if usual else "warning",
        )
