"""The same image is in the dataset more than once, pixel for pixel.

Why: across splits the score is measured on what was trained on; within one it counts double.
Fix: remove one, or keep both in one split: segprep split --group-by near-duplicates.
Source: F25; digests of the decoded pixels.
"""

from collections.abc import Iterator

from segprep.checks._common.duplicates import groups
from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG501", "warning")


def find(survey: Survey) -> Iterator[Finding]:
    """Groups of equal pixels: an error where a group spans splits."""
    for stems in groups(survey):
        splits = {survey.splits[stem] for stem in stems if stem in survey.splits}
        first = survey.pair(stems[0])
        for stem in stems[1:]:
            pair = survey.pair(stem)
            where = f", across {' and '.join(sorted(splits))}" if len(splits) > 1 else ""
            yield RULE.finding(
                stem,
                survey.name(pair.image),
                f"the same pixels as {survey.name(first.image)}{where}",
                "remove one of them"
                if len(splits) < 2
                else ("segprep split --group-by near-duplicates --overwrite"),
                severity="error" if len(splits) > 1 else "warning",
            )
