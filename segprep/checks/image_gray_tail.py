"""The lower rows of an image are uniformly mid-gray, as in a truncated JPEG.

Why: the file was cut off, decoded leniently and saved again; its lower part is lost.
Fix: restore the image from its origin.
Source: F22; libjpeg fills missing blocks with 128.
"""

from collections.abc import Iterator

from segprep.checks._common.fit import TAIL
from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG106", "error", each=True)


def find(survey: Survey) -> Iterator[Finding]:
    """Images that end in at least a twentieth of gray rows."""
    for pair, photo in survey.images():
        if TAIL <= photo.tail < 1:
            yield RULE.finding(
                pair.stem,
                survey.name(pair.image),
                f"the lowest {photo.tail:.0%} of the rows are mid-gray (128)",
                "restore it from its origin",
            )
