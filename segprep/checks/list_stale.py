"""A list names a sample that does not exist.

Why: training stops at it, or silently has fewer samples.
Fix: segprep split --update, or segprep check --fix drops the entry.
Source: F32.
"""

from collections.abc import Iterator

from segprep.checks._common.entries import bare_name
from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.names import stem_key
from segprep.types import Finding

RULE = Rule("SEG402", "error", fix="lists")


def find(survey: Survey) -> Iterator[Finding]:
    """Entries without a mask of that name, but those of images: they lack a mask (SEG203)."""
    masked = {pair.stem for pair in survey.pairs if pair.mask} if survey.lists else set()
    stale = [
        (file, entry)
        for file in survey.lists
        for entry in dict.fromkeys(file.entries)
        if entry not in masked and not bare_name(entry, masked)
    ]
    if not stale:
        return
    pictured = {pair.stem for pair in survey.pairs if pair.image}
    keys = {stem_key(stem): stem for stem in masked}
    for file, entry in stale:
        like = keys.get(stem_key(entry))
        if entry in pictured and not like:
            continue  # SEG203
        yield RULE.finding(
            entry,
            survey.name(file.path),
            f"names {entry!r}, which has no mask" + (f" (but {like!r} has)" if like else ""),
            f"write {like!r}" if like else "drop the entry: segprep check --fix",
        )
