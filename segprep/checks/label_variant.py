"""Two labels differ only in case, blanks, hyphens or invisible characters.

Why: they become two classes.
Fix: segprep json2mask --map OLD=NEW, or rename it: segprep annotate --finding SEG802.
Source: F33; NFKC and case folding.
"""

from collections.abc import Iterator

from segprep.checks._common import annotations
from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.names import variant_key
from segprep.types import Finding

RULE = Rule("SEG802", "error")


def find(survey: Survey) -> Iterator[Finding]:
    """Labels that are the same to a reader."""
    counted, first = annotations.labels(survey), dict[str, str]()
    for label, _ in counted.most_common():
        first.setdefault(variant_key(label), label)
    for file in annotations.of(survey):
        for label in dict.fromkeys(outline.label for outline in file.outlines):
            usual = first[variant_key(label)]
            if label != usual:
                yield RULE.finding(
                    file.stem,
                    survey.name(file.path),
                    f"label {label!r} is {usual!r} elsewhere",
                    f"segprep json2mask --map '{label}={usual}'",
                )
