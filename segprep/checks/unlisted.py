"""Samples are in no split.

Why: they are never trained on nor scored.
Fix: segprep split --update places them.
Source: F32.
"""

from collections.abc import Iterator

from segprep.checks._common.entries import bare_name
from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.dataset.tree import LISTS
from segprep.types import Finding

RULE = Rule("SEG408", "warning")


def find(survey: Survey) -> Iterator[Finding]:
    """Samples that no list names, where there are lists."""
    if not survey.lists:
        return
    entries = {entry for file in survey.lists for entry in file.entries}
    stems = {pair.stem for pair in survey.pairs if pair.mask}
    named = {bare_name(entry, stems) for entry in entries}
    lost = [pair.stem for pair in survey.pairs if pair.mask and pair.stem not in named]
    if lost:
        yield RULE.finding(
            lost[0] if len(lost) == 1 else "",
            LISTS,
            f"{len(lost)} of {len(stems)} samples are in no list: {', '.join(lost[:3])}",
            "segprep split --update",
            score=len(lost) / len(stems),
        )
