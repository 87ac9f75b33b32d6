"""A file among the images or masks is neither.

Why: tools that list the folder trip over it. Texts and annotations of a sample's name are expected.
Fix: move it out of the folder.
Source: F31.
"""

from collections.abc import Iterator

from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG107", "warning")


def find(survey: Survey) -> Iterator[Finding]:
    """Files that are not pictures by their extension, and belong to none."""
    for path in survey.strays:
        yield RULE.finding("", survey.name(path), "is not an image", "move it elsewhere")
