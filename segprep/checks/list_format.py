"""A list has blank lines, Windows line ends or a byte order mark.

Why: readers that split at line feeds take "a\r" for a name, and "" for a sample.
Fix: segprep check --fix writes it with line feeds.
Source: F32.
"""

from collections.abc import Iterator

from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG405", "warning", fix="lists")


def find(survey: Survey) -> Iterator[Finding]:
    """Lists that are not one name per line with line feeds."""
    for file in survey.lists:
        faults = [
            text
            for text, holds in (
                ("a byte order mark", file.text.startswith("\ufeff")),
                ("Windows line ends", "\r" in file.text),
                ("blank lines", any(not line.strip() for line in file.text.split("\n")[:-1])),
                ("outer blanks", any(line != line.strip(" \t") for line in file.text.split("\n"))),
            )
            if holds
        ]
        if faults:
            yield RULE.finding(
                "",
                survey.name(file.path),
                f"has {', '.join(faults)}",
                "write it with line feeds: segprep check --fix",
            )
