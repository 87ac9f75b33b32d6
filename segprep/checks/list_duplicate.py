"""A list names a sample twice.

Why: it counts double in training and in the score.
Fix: segprep check --fix keeps the first entry.
Source: F32.
"""

from collections import Counter
from collections.abc import Iterator

from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG403", "error", fix="lists")


def find(survey: Survey) -> Iterator[Finding]:
    """Entries that a list repeats."""
    for file in survey.lists:
        for entry, count in Counter(file.entries).items():
            if count > 1:
                yield RULE.finding(
                    entry,
                    survey.name(file.path),
                    f"names {entry!r} {count} times",
                    "keep one: segprep check --fix",
                )
