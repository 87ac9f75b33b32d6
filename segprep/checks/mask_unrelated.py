"""A mask fits its image in no position: it may belong to another image.

Why: the labels are noise for the trainer.
Fix: look at it (segprep view); pair it with its own image.
Source: F4, F5; correlation of edge ranks with mask borders, against the rest of the dataset.
"""

from collections.abc import Iterator

from segprep.checks._common.fit import judged
from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG603", "warning")


def find(survey: Survey) -> Iterator[Finding]:
    """Masks that stand out in this way."""
    for misfit in judged(survey).misfits.values():
        if misfit.kind == "unrelated":
            yield RULE.finding(
                misfit.stem,
                survey.name(survey.by_stem[misfit.stem].mask),
                misfit.detail,
                "look at it: segprep view",
                score=misfit.score,
            )
