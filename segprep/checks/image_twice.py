"""Two annotations belong to one image.

Why: the same picture gets two masks; one of them may be an old copy.
Fix: keep the right one.
Source: F26; digests of the decoded pixels.
"""

from collections import defaultdict
from collections.abc import Iterator

from segprep.checks._common import annotations
from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG809", "error")


def find(survey: Survey) -> Iterator[Finding]:
    """Groups of annotations of equal pictures: errors where the shapes differ, else warnings."""
    groups: dict[str, list[annotations.AnnotatedFile]] = defaultdict(list)
    for file in annotations.of(survey):
        if file.picture:
            groups[file.picture].append(file)
    for first, *others in groups.values():
        for other in others:
            same = {outline.points for outline in first.outlines} == {
                outline.points for outline in other.outlines
            }
            yield RULE.finding(
                other.stem,
                survey.name(other.path),
                f"annotates the image of {first.path.name}, with {'the same' if same else 'other'}"
                " shapes",
                "keep one of the two",
                severity="warning" if same else "error",
            )
