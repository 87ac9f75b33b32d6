"""Images in different splits look alike: frames of one scene, re-encoded or mirrored copies.

Why: the score is measured on what was nearly trained on. Within one split that is harmless.
Fix: segprep split --group-by near-duplicates keeps them together.
Source: F27; dHash of 256 bits, also mirrored and rotated, verified by correlation.
"""

from collections.abc import Iterator

from segprep.checks._common.hashes import Likeness, alike
from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG503", "warning")


def find(survey: Survey) -> Iterator[Finding]:
    """Pairs across splits; one finding per image, its most alike partner."""
    best: dict[str, Likeness] = {}
    for one in alike(survey):
        splits = survey.splits.get(one.first), survey.splits.get(one.second)
        if None in splits or splits[0] == splits[1]:
            continue
        stem = one.first if splits[1] == "train" else one.second
        if stem not in best or best[stem].correlation < one.correlation:
            best[stem] = one
    for stem, one in best.items():
        other = one.second if stem == one.first else one.first
        yield RULE.finding(
            stem,
            survey.name(survey.by_stem[stem].image),
            f"({survey.splits[stem]}) looks like {other} ({survey.splits[other]})"
            + (f", {one.turn}" if one.turn else ""),
            "segprep split --group-by near-duplicates --overwrite",
            score=round(one.correlation, 4),
        )
