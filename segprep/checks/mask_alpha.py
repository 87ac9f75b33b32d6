"""A mask has an alpha channel.

Why: some readers multiply the colors by it, others drop it; the ids differ.
Fix: export the mask without transparency, one channel.
Source: F18.
"""

from collections.abc import Iterator

from segprep.checks._common.labels import cases
from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG308", "error")


def find(survey: Survey) -> Iterator[Finding]:
    """RGBA masks and gray masks with alpha."""
    for pair, label in cases(survey, "alpha"):
        clear = "that varies" if label.fault == "alpha varies" else "that is constant"
        yield RULE.finding(
            pair.stem,
            survey.name(pair.mask),
            f"{label.mode}: an alpha channel {clear}",
            "export it as one channel without transparency",
        )
