"""A class occurs in the dataset but not in one of its splits.

Why: missing from train it is never learned; missing from val its score is undefined.
Fix: segprep split --stratify presence.
Source: F29.
"""

from collections import defaultdict
from collections.abc import Iterator

from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.dataset.tree import LISTS
from segprep.types import IGNORE, Finding

RULE = Rule("SEG407", "warning")


def find(survey: Survey) -> Iterator[Finding]:
    """Classes of at least three images that a split lacks."""
    holders: dict[int, set[str]] = defaultdict(set)
    for pair in survey.labeled:
        for value in pair.label.values if pair.label else ():
            if value != IGNORE and (survey.ids is None or value in survey.ids):
                holders[value].add(pair.stem)
    splits: dict[str, set[str]] = defaultdict(set)
    for stem, name in survey.splits.items():
        splits[name].add(stem)
    if len(splits) < 2:
        return
    for value, stems in sorted(holders.items()):
        lacking = [name for name in splits if not stems & splits[name]]
        for name in lacking:
            if len(stems) >= 3 or name == "train":
                yield RULE.finding(
                    "",
                    f"{LISTS}/{name}.txt",
                    f"class {value} ({survey.label_name(value)}) is in {len(stems)} images, none in"
                    f" {name}",
                    "segprep split --stratify presence --overwrite",
                    score=float(len(stems)),
                )
