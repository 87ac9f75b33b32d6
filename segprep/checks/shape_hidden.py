"""A shape is completely covered by later shapes.

Why: labelme paints in the file's order, so an object that lies on another must come later.
Fix: reorder the shapes in labelme, or segprep json2mask --overlap area.
Source: labelme's painting order; the classes that vanish so are named.
"""

from collections.abc import Iterator

from segprep.checks._common import annotations
from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG810", "warning")


def find(survey: Survey) -> Iterator[Finding]:
    """Hidden shapes; the message says where a class vanishes with them."""
    for file in annotations.of(survey):
        hidden = [outline for outline in file.outlines if outline.number in file.hidden]
        left = {outline.label for outline in file.outlines if outline.number not in file.hidden}
        for outline in hidden:
            gone = (
                f"; no {outline.label!r} is left in this image" if outline.label not in left else ""
            )
            yield RULE.finding(
                file.stem,
                survey.name(file.path),
                f"{annotations.address(outline)} is covered by later shapes{gone}",
                "segprep json2mask --overlap area, or reorder the shapes",
            )
