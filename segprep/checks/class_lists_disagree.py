"""The class lists of the dataset name different classes, or in another order.

Why: an id means another class depending on which file a tool reads.
Fix: keep the list that the masks were made with, and write the others from it.
Source: F42; segprep.json, class_names.txt, labelmap.txt.
"""

from collections.abc import Iterator

from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG111", "error")


def find(survey: Survey) -> Iterator[Finding]:
    """Files that list other classes than the first."""
    files = list(survey.declared.items())
    for name, names in files[1:]:
        first, listed = files[0]
        plain = tuple(name.replace(":", "_") for name in listed)
        if names not in (listed, plain):
            at = next(
                (n for n, (a, b) in enumerate(zip(names, plain, strict=False)) if a != b), None
            )
            detail = (
                f"id {at} is {plain[at]!r} in {first} and {names[at]!r} here"
                if at is not None
                else f"{first} has {len(listed)} names, this {len(names)}"
            )
            yield RULE.finding("", name, detail, f"write {name} again from {first}")
