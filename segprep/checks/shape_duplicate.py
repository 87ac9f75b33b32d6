"""A shape occurs twice in the file.

Why: instances count double; with another label, one hides the other.
Fix: delete one of them: segprep annotate --finding SEG804.
Source: F34.
"""

from collections.abc import Iterator

from segprep.checks._common import annotations
from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG804", "warning")


def find(survey: Survey) -> Iterator[Finding]:
    """Polygons with the same points, also in another order of them."""
    for file in annotations.of(survey):
        first: dict[tuple[str, frozenset[annotations.Point]], annotations.LabeledShape] = {}
        for outline in file.outlines:
            key = outline.kind, frozenset(outline.points)
            other = first.setdefault(key, outline)
            if other is not outline and len(outline.points) > 1:
                yield RULE.finding(
                    file.stem,
                    survey.name(file.path),
                    f"{annotations.address(outline)} repeats {annotations.address(other)}",
                    "delete one of them: segprep annotate --finding SEG804",
                )
