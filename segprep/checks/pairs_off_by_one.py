"""Masks of samples in a row fit their images in no position: the names are off by one from there.

Why: a file that was added or lost moved the numbers of all that follow, and each is paired wrongly.
Fix: compare the first of them with its neighbors (segprep view); rename from there on.
Source: F5; at least five misfits close together, in the order of the numbers, and few elsewhere.
"""

from collections.abc import Iterator

from segprep.checks._common.fit import judged
from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.names import natural_key
from segprep.types import Finding

RULE = Rule("SEG608", "warning")
# misfits in a row, with gaps of at most GAP samples; and the share of the row that has to stand
# out, ELSEWHERE times that of all other samples
LEAST, GAP, SHARE, ELSEWHERE = 5, 3, 0.4, 5


def find(survey: Survey) -> Iterator[Finding]:
    """One finding per row of samples."""
    misfits = judged(survey).misfits
    stems = sorted((pair.stem for pair in survey.complete), key=natural_key)
    at = [n for n, stem in enumerate(stems) if stem in misfits]
    start = 0
    while start < len(at):
        end = start
        while end + 1 < len(at) and at[end + 1] - at[end] <= GAP + 1:
            end += 1
        count, length = end - start + 1, at[end] - at[start] + 1
        others = (len(at) - count) / max(1, len(stems) - length)
        if count >= max(LEAST, SHARE * length) and count / length >= ELSEWHERE * others:
            first, last = stems[at[start]], stems[at[end]]
            yield RULE.finding(
                first,
                survey.name(survey.by_stem[first].mask),
                f"{count} of the {length} masks from {first} to {last} do not fit their"
                " images: the names may be off by one from here",
                "look at them: segprep view",
                score=float(length),
            )
        start = end + 1
