"""A rare label is one letter away from a frequent one.

Why: a typo becomes a class of its own.
Fix: segprep json2mask --map OLD=NEW, or rename it: segprep annotate --finding SEG803.
Source: F33; crop and ccrop. Labels that differ in a digit (car1, car2) are left alone.
"""

from collections.abc import Iterator
from itertools import groupby

from segprep.checks._common import annotations
from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG803", "warning")
# shapes of the usual label to one of the rare one; a letter too many or too few of a double one,
# as in ccrop, is hardly ever a word of its own
TIMES, TIMES_DOUBLED = 50, 10


def find(survey: Survey) -> Iterator[Finding]:
    """Labels of at most a fiftieth of the shapes of a label that they nearly equal, or of a tenth
    where a letter is doubled.
    """
    counted = annotations.labels(survey)
    typos = {
        rare: usual
        for rare, few in counted.items()
        for usual, many in counted.items()
        if TIMES_DOUBLED * few <= many
        and _one_letter(rare, usual)
        and (TIMES * few <= many or _single(rare) == _single(usual))
    }
    for file in annotations.of(survey):
        for label in dict.fromkeys(outline.label for outline in file.outlines):
            if label in typos:
                usual = typos[label]
                yield RULE.finding(
                    file.stem,
                    survey.name(file.path),
                    f"label {label!r} ({counted[label]}) may be {usual!r} ({counted[usual]})",
                    f"segprep json2mask --map '{label}={usual}'",
                    score=round(1 - counted[label] / counted[usual], 4),
                )


def _one_letter(label: str, other: str) -> bool:
    """Whether the two differ by one letter inserted, dropped, changed or swapped with its neighbor,
    and not by a digit.
    """
    if label == other or abs(len(label) - len(other)) > 1 or min(len(label), len(other)) < 3:
        return False
    start = next((n for n, (a, b) in enumerate(zip(label, other, strict=False)) if a != b), None)
    start = min(len(label), len(other)) if start is None else start
    a, b = label[start:], other[start:]
    if any(part[:1].isdigit() for part in (a, b)):
        return False
    changed = a[1:] == b[1:] or a[1:] == b or a == b[1:]
    return changed or (a[:2] == b[:2][::-1] and a[2:] == b[2:])


def _single(label: str) -> str:
    """*label* with each letter that comes several times in a row once."""
    return "".join(letter for letter, _ in groupby(label))
