"""An image has no mask.

Why: it is not trained on. That may be meant, as in PASCAL VOC; it is not where a list names it, or
where hardly any image lacks one.
Fix: annotate it (segprep annotate), or remove it.
Source: F31.
"""

from collections.abc import Iterator

from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG203", "warning")


def find(survey: Survey) -> Iterator[Finding]:
    """Images without a mask of their name; errors where a list or the manifest has them."""
    lonely = [pair for pair in survey.pairs if pair.image and not pair.mask]
    listed = {stem for file in survey.lists if lonely for stem in file.entries}
    few = len(lonely) <= max(1, len(survey.pairs) // 10)
    each = few or survey.manifest is not None
    for pair in lonely:
        if not (each or pair.stem in listed):
            continue
        named = pair.stem in listed or survey.manifest is not None
        yield RULE.finding(
            pair.stem,
            survey.name(pair.image),
            f"no mask has the name {pair.stem}" + (", which a list names" if named else ""),
            "annotate it, or drop the entry: segprep check --fix"
            if pair.stem in listed
            else "annotate it, or remove it",
            severity="error" if named else "warning",
        )
    if lonely and not each:
        yield RULE.finding(
            "",
            survey.name(lonely[0].image),
            f"{len(lonely)} of {len(survey.pairs)} images have no mask",
            "fine if only some were to be annotated",
            severity="info",
        )
