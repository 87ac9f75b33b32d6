"""Class ids count from 1 while the class list counts from 0.

Why: every class is shifted by one, and the last lies outside the list. Where it does not, colors
and places may tell: a warning.
Fix: segprep remap DATASET OUT --ids 1=FIRST,2=SECOND, with the names in your order.
Source: F6; MATLAB's habit.
"""

from collections.abc import Iterator

from segprep.checks._common.labels import cases, listed
from segprep.checks._common.rule import Rule
from segprep.checks._common.shifted_ids import shifted
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG310", "error", fix="from-one")


def find(survey: Survey) -> Iterator[Finding]:
    """Masks without a 0 whose largest value is one past the list."""
    names = survey.classes.names if survey.classes else ()
    ids = ",".join(f"{n}={name}" for n, name in enumerate(names[:3], 1))
    for pair, label in cases(survey, "from-one"):
        yield RULE.finding(
            pair.stem,
            survey.name(pair.mask),
            f"values count from 1: {listed(label.values, set(label.values))}",
            f"segprep remap DATASET OUT --ids {ids}" + (",…" if len(names) > 3 else ""),
        )
    for stem, gain in shifted(survey).items():
        yield RULE.finding(
            stem,
            survey.name(survey.pair(stem).mask),
            "colors and places say that its values count from 1; it has no 0, as nearly all have",
            "look at it: segprep view",
            score=round(gain, 2),
            severity="warning",
        )
