"""A mask's palette is in another order than those of the other masks.

Why: an image editor or a GIF renumbered the colors, so the same index means another class.
Fix: export the mask again, or read it by its colors: segprep convert colormap.
Source: F11.
"""

from collections import Counter
from collections.abc import Iterator

from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG305", "error")


def find(survey: Survey) -> Iterator[Finding]:
    """Palettes that at most a tenth of the masks have, where most have another."""
    palettes = Counter(
        pair.label.order for pair in survey.labeled if pair.label and pair.label.order
    )
    if not palettes:
        return
    usual, most = palettes.most_common(1)[0]
    few = max(1, palettes.total() // 10)
    for pair in survey.labeled:
        label = pair.label
        if (
            label
            and label.order
            and label.order != usual
            and label.palette == "other"
            and palettes[label.order] <= few
            and most > few
        ):
            yield RULE.finding(
                pair.stem,
                survey.name(pair.mask),
                f"its palette differs from that of {most} other masks",
                "export it again, or read it by its colors: segprep convert colormap",
            )
