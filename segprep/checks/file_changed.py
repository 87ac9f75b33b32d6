"""A file was changed or removed after segprep wrote it.

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
    names = survey.digests.names
    if not names:
        return
    seen = bytearray(len(names))
    for pair in survey.pairs:
        for path, facts in ((pair.image, pair.photo), (pair.mask, pair.label)):
            number = names.find(name := survey.name(path)) if path else -1
            if number < 0:
                continue
            seen[number] = True
            if facts and survey.digests[number] != facts.content:
                yield RULE.finding(
                    pair.stem, name, "changed after segprep wrote it", "convert again to restore it"
                )
    for number in names.in_order() if not all(seen) else ():
        name = names[number]
        if not seen[number] and not (survey.root / name).is_file():
            stem = name.rpartition("/")[2].rpartition(".")[0]
            yield RULE.finding(
                stem, name, "is in the manifest but not on the disk", "convert again to restore it"
            )
