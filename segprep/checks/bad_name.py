"""A sample's name does not work everywhere: control characters, reserved by Windows, outer blanks.

Why: list files lose it, other systems cannot store it.
Fix: rename image and mask alike.
Source: F32.
"""

from collections.abc import Iterator

from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.names import stem_fault
from segprep.types import Finding

RULE = Rule("SEG113", "warning", each=True)


def find(survey: Survey) -> Iterator[Finding]:
    """Stems that some system cannot hold."""
    for pair in survey.pairs:
        faults = filter(None, map(stem_fault, pair.stem.split("/")))
        if fault := next(faults, None):
            path = survey.name(pair.mask or pair.image)
            yield RULE.finding(pair.stem, path, f"its name {fault}", "rename image and mask alike")
