"""Annotations are painted into the images: outlines or tints of one color lie along the masks.

Why: the model learns to see the paint, scores nearly perfectly, and finds nothing in photographs.
Fix: take the images as they were before they were drawn on; labelme keeps a copy in its JSON.
Source: folders of overlays that were published as images; a few images are looked at in full.
"""

from collections.abc import Iterator

from segprep.checks._common.painted import Paint
from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG609", "warning")


def find(survey: Survey) -> Iterator[Finding]:
    """One finding about the dataset for every class that is painted, where most images show it."""
    by_class: dict[int, Paint] = {}
    for paint in survey.painted:
        low, high = paint.classes or (-1, -1)
        value = high if low in (-1, survey.background) else low
        if value not in by_class or by_class[value].share < paint.share:
            by_class[value] = paint
    for value, paint in sorted(by_class.items()):
        color = "" if paint.color is None else " of #{:02x}{:02x}{:02x}".format(*paint.color)
        what = "an outline" if paint.kind == "outline" else "a tint"
        marked = "the annotations" if value < 0 else survey.label_name(value)
        yield RULE.finding(
            "",
            "",
            f"{what}{color} marks {marked} in the images themselves",
            "look at some: segprep view; then take the images without drawings",
            score=round(paint.share, 2),
        )
