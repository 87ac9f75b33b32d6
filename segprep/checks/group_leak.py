"""A group of samples that the split should keep together is spread over splits.

Why: images of one patient, scene or video are alike; the score is too good.
Fix: segprep split --group-by with the same groups, --overwrite.
Source: F28; the groups are those of the split record in segprep.json.
"""

from collections import defaultdict
from collections.abc import Iterator

from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG504", "error")


def find(survey: Survey) -> Iterator[Finding]:
    """Groups, as the split was drawn with, that are in more than one split."""
    homes: dict[str, dict[str, str]] = defaultdict(dict)
    for stem, group in survey.groups.items():
        if stem in survey.splits:
            homes[group].setdefault(survey.splits[stem], stem)
    for group, splits in sorted(homes.items()):
        if len(splits) > 1:
            names = " and ".join(sorted(splits))
            yield RULE.finding(
                next(iter(splits.values())),
                "ImageSets/Segmentation",
                f"group {group!r} is in {names}",
                "segprep split --overwrite",
            )
