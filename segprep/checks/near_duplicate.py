"""Images in different splits look alike: frames of one scene, re-encoded or mirrored copies.

Why: the score is measured on what was nearly trained on. Within one split that is harmless.
Fix: segprep split --group-by near-duplicates keeps them together.
Source: F27; dHash of 256 bits, also mirrored and rotated, verified by correlation; frames of a
camera that moved on by the correlation of their details where they overlap.
"""

from collections.abc import Iterator
from itertools import chain

from segprep.checks._common.hashes import Likeness, alike, frames
from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG503", "warning")


def find(survey: Survey) -> Iterator[Finding]:
    """Pairs across splits; one finding per image, its most alike partner."""
    best: dict[str, Likeness] = {}
    for pair in chain(alike(survey), frames(survey)):
        splits = survey.splits.get(pair.first), survey.splits.get(pair.second)
        if None in splits or splits[0] == splits[1]:
            continue
        stem = pair.first if splits[1] == "train" else pair.second
        if stem not in best or best[stem].correlation < pair.correlation:
            best[stem] = pair
    for stem, pair in best.items():
        other = pair.second if stem == pair.first else pair.first
        yield RULE.finding(
            stem,
            survey.name(survey.pair(stem).image),
            f"({survey.splits[stem]}) looks like {other} ({survey.splits[other]})"
            + (f", {pair.turn}" if pair.turn else ""),
            "segprep split --group-by near-duplicates --overwrite",
            score=round(pair.correlation, 4),
        )
