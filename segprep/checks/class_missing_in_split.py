"""A class occurs in the dataset but not in one of its splits.

Why: missing from train it is never learned; missing from val its score is undefined.
Fix: segprep split --stratify presence.
Source: F29.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator

from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.dataset.tree import LISTS
from segprep.types import IGNORE, Finding

RULE = Rule("SEG407", "warning")


def find(survey: Survey) -> Iterator[Finding]:
    """Classes of at least three images that a split lacks."""
    splits = list(dict.fromkeys(survey.splits.values()))
    if len(splits) < 2:
        return
    holders: dict[int, Counter[str]] = defaultdict(Counter)  # masks by class, and by split
    for pair in survey.labeled:
        split = survey.splits.get(pair.stem, "")
        for value in pair.label.values if pair.label else ():
            if value != IGNORE and (survey.ids is None or value in survey.ids):
                holders[value][split] += 1
    for value, masks in sorted(holders.items()):
        count = masks.total()
        for name in splits:
            if name not in masks and (count >= 3 or name == "train"):
                yield RULE.finding(
                    "",
                    f"{LISTS}/{name}.txt",
                    f"class {value} ({survey.label_name(value)}) is in {count} images, none in"
                    f" {name}",
                    "segprep split --stratify presence --overwrite",
                    score=float(count),
                )
