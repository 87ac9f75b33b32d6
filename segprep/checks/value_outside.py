"""A mask holds pixel values that are not class ids.

Why: losses index past the last class: a crash on the GPU, or silently wrong training.
Fix: correct the class list, or map the values: segprep remap --ids.
Source: F6, F42.
"""

from collections.abc import Iterator

from segprep.checks._common.labels import Context, cases, listed
from segprep.checks._common.palettes import renumbered
from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG301", "error")


def find(survey: Survey) -> Iterator[Finding]:
    """Values beyond the class list; without a list, warnings about values of few masks."""
    few, usual, _ = renumbered(survey)
    for pair, label in cases(survey, "outside"):
        if usual and pair in few:
            continue  # SEG305: the values are those of another palette
        outside = (
            Context(survey).outside(label)
            if survey.ids is None
            else (set(label.values) - survey.ids)
        )
        usual = f"{len(survey.classes.names)} classes" if survey.classes else "the other masks"
        yield RULE.finding(
            pair.stem,
            survey.name(pair.mask),
            f"values outside {usual}: {listed(label.values, outside)}",
            "name what they mean: segprep remap --ids 0=background,VALUE=NAME",
            severity="error" if survey.classes else "warning",
        )
