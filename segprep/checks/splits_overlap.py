"""A sample is in two splits.

Why: the score is measured on what was trained on.
Fix: segprep split --overwrite draws disjoint splits.
Source: F32, F28.
"""

from collections.abc import Iterator
from itertools import combinations

from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.dataset.tree import LISTS, SPLITS
from segprep.types import Finding

RULE = Rule("SEG406", "error")


def find(survey: Survey) -> Iterator[Finding]:
    """Names in more than one of train, val and test."""
    splits = {file.name: set(file.entries) for file in survey.lists if file.name in SPLITS}
    for first, second in combinations(splits, 2):
        for stem in sorted(splits[first] & splits[second]):
            yield RULE.finding(
                stem,
                f"{LISTS}/{second}.txt",
                f"{stem!r} is in {first} and in {second}",
                "segprep split --overwrite",
            )
