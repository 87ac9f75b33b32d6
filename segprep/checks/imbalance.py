"""The classes differ widely in their share of the pixels.

Why: without weights, a model may never learn the rare ones. Most real datasets are like this.
Fix: loss weights from segprep stats.
Source: F30.
"""

from collections import Counter
from collections.abc import Iterator

from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import IGNORE, Finding

RULE = Rule("SEG313", "info")


def find(survey: Survey) -> Iterator[Finding]:
    """One line: the most and the least frequent class."""
    pixels: Counter[int] = Counter()
    for pair in survey.labeled:
        if pair.label:
            pixels.update(pair.label.values)
    pixels.pop(IGNORE, None)
    counted = [
        (n, value) for value, n in pixels.items() if survey.ids is None or value in survey.ids
    ]
    if len(counted) > 1 and max(counted)[0] >= 20 * min(counted)[0]:
        (most, large), (least, small) = max(counted), min(counted)
        yield RULE.finding(
            "",
            "",
            f"{survey.label_name(large)} has {most / least:,.0f} times the pixels of"
            f" {survey.label_name(small)}",
            "segprep stats has loss weights",
            score=most / least,
        )
