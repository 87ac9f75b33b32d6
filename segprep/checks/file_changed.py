"""A file is not the one that segprep wrote, or is gone.

Why: it was edited, damaged on the disk, or lost; silent bit rot shows in no other way.
Fix: convert again into the same folder, which re-does what changed.
Source: F23; digests in records.jsonl.
"""

from collections.abc import Iterator

from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG109", "error")


def find(survey: Survey) -> Iterator[Finding]:
    """Files whose digest differs from the manifest's, and files that are missing."""
    seen = set()
    for pair in survey.pairs:
        for path, facts in ((pair.image, pair.photo), (pair.mask, pair.label)):
            name = survey.name(path)
            seen.add(name)
            if facts and name in survey.digests and survey.digests[name] != facts.content:
                yield RULE.finding(
                    pair.stem, name, "changed after segprep wrote it", "convert again to restore it"
                )
    for name in sorted(survey.digests.keys() - seen):
        if not (survey.root / name).is_file():
            stem = name.rpartition("/")[2].rpartition(".")[0]
            yield RULE.finding(
                stem, name, "is in the manifest but not on the disk", "convert again to restore it"
            )
