"""A palette mask was turned into gray levels: 38, 75, 113 stand where 1, 2, 3 belong.

Why: the levels are not ids; most lie beyond the class list.
Fix: segprep convert colormap --from-voc-gray maps them back.
Source: F10; the luminance (ITU-R 601) of VOC's color map.
"""

from collections.abc import Iterator

from segprep.checks._common.labels import cases, listed
from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG304", "error", fix="flattened")


def find(survey: Survey) -> Iterator[Finding]:
    """Masks whose values are the gray levels of VOC's colors."""
    for pair, label in cases(survey, "flattened"):
        yield RULE.finding(
            pair.stem,
            survey.name(pair.mask),
            f"gray levels of VOC's colors: {listed(label.values, set(label.values))}",
            "segprep convert colormap --from-voc-gray",
        )
