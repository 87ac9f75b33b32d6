"""A list spells entries with an extension, a folder or further columns.

Why: readers append .jpg and .png to every entry and find no file.
Fix: one name per line without extension (segprep check --fix).
Source: F32; PASCAL VOC's lists.
"""

from collections.abc import Iterator

from segprep.checks._common.entries import bare_name
from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG404", "error", fix="lists")


def find(survey: Survey) -> Iterator[Finding]:
    """Entries that are not names, though the name in them exists."""
    masked = {pair.stem for pair in survey.pairs if pair.mask} if survey.lists else set()
    for file in survey.lists:
        odd = [entry for entry in file.entries if entry not in masked and bare_name(entry, masked)]
        if odd:
            yield RULE.finding(
                odd[0] if len(odd) == 1 else "",
                survey.name(file.path),
                f"{len(odd)} entries are not plain names: {odd[0]!r}",
                f"write {bare_name(odd[0], masked)!r}: segprep check --fix",
            )
