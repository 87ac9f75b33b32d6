"""The masks hold numbers of objects, not classes: 1 to n in every mask, with an n of its own.

Why: object 3 of one image has nothing in common with object 3 of another; no model learns that.
Fix: if the objects are of one class, segprep convert binary SRC OUT --foreground nonzero; else take
the class masks (in VOC: SegmentationClass, not SegmentationObject).
Source: F17; nuclei are often published this way.
"""

from collections.abc import Iterator

from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.imaging import object_numbers
from segprep.types import Finding

RULE = Rule("SEG316", "error")


def find(survey: Survey) -> Iterator[Finding]:
    """One finding for the set, if nearly all masks are numbered."""
    counts = object_numbers.Counts()
    for pair in survey.labeled:
        if pair.label:
            counts.add(pair.label.values)
    if counts.objects:
        yield RULE.finding(
            "",
            "",
            f"{counts.told()}: numbers of objects",
            "segprep convert binary SRC OUT --foreground nonzero if they are of one class; else"
            " take the class masks",
        )
