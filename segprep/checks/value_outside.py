"""A mask holds pixel values that are not class ids.

Why: losses index past the last class: a crash on the GPU, or silently wrong training.
Fix: correct the class list, or map the values: segprep remap --ids.
Source: F6, F42.
"""

from collections.abc import Iterator

from segprep.checks._common.labels import cases, context, listed
from segprep.checks._common.palettes import renumbered
from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG301", "error")


def find(survey: Survey) -> Iterator[Finding]:
    """Values beyond the class list; without a list, warnings about values of few masks."""
    rare, palette, _ = renumbered(survey)
    recolored = {pair.stem for pair in rare} if palette else set[str]()
    usual = f"{len(survey.classes.names)} classes" if survey.classes else "the other masks"
    for pair, label in cases(survey, "outside"):
        if pair.stem in recolored:
            continue  # SEG305: the values are those of another palette
        outside = (
            context(survey).outside(label)
            if survey.ids is None
            else (set(label.values) - survey.ids)
        )
        yield RULE.finding(
            pair.stem,
            survey.name(pair.mask),
            f"values outside {usual}: {listed(label.values, outside)}",
            "name what they mean: segprep remap --ids 0=background,VALUE=NAME",
            severity="error" if survey.classes else "warning",
        )
