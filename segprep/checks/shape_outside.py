"""A shape lies outside its image.

Why: it paints nothing, or was drawn on another image.
Fix: move or delete it: segprep annotate --finding SEG805.
Source: F35; two pixels beyond the edge are common and tolerated.
"""

from collections.abc import Iterator

from segprep.checks._common import annotations
from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG805", "error")


def find(survey: Survey) -> Iterator[Finding]:
    """Shapes wholly outside, and as warnings those that reach beyond the edge."""
    for file in annotations.of(survey):
        size = file.size or file.recorded
        for outline in file.outlines if size else ():
            assert size
            left, top, right, bottom = outline.box()
            where = f"the {size[0]}x{size[1]} image"
            if outline.kind == "circle":
                continue
            if right < -2 or bottom < -2 or left > size[0] + 2 or top > size[1] + 2:
                text = f"{annotations.address(outline)} lies outside {where}"
                yield RULE.finding(file.stem, survey.name(file.path), text, "move or delete it")
            elif left < -2 or top < -2 or right > size[0] + 2 or bottom > size[1] + 2:
                beyond = max(-left, -top, right - size[0], bottom - size[1])
                yield RULE.finding(
                    file.stem,
                    survey.name(file.path),
                    f"{annotations.address(outline)} reaches {beyond:.0f} px beyond {where}",
                    "fine if the object is cut by the edge",
                    score=round(beyond, 1),
                    severity="warning",
                )
