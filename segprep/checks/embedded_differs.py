"""The image file and the copy embedded in the annotation show different pictures.

Why: the shapes were drawn on one of them; which one is used depends on the tool.
Fix: look at both; remove the wrong one, or segprep json2mask --compare.
Source: F40; a copy that was merely encoded again correlates by more than 0.98.
"""

from collections.abc import Iterator

from segprep.checks._common import annotations
from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG808", "error")


def find(survey: Survey) -> Iterator[Finding]:
    """Copies that correlate with their file by less than 0.9; between, warnings."""
    for file in annotations.of(survey):
        if file.likeness is not None and file.likeness < 0.98:
            yield RULE.finding(
                file.stem,
                survey.name(file.path),
                f"file and embedded copy correlate by {file.likeness:.2f} only",
                "look at both: segprep annotate --finding SEG808",
                score=round(1 - file.likeness, 4),
                severity="error" if file.likeness < 0.9 else "warning",
            )
