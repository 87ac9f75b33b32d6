"""An image carries an EXIF orientation, which some readers apply and others do not.

Why: image and mask then disagree in half of the readers.
Fix: segprep convert writes images upright; segprep check --fix does it in place.
Source: F3; the orientation tag of EXIF 2.32, values 2 to 8.
"""

from collections.abc import Iterator

from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG104", "error", fix="upright", each=True)


def find(survey: Survey) -> Iterator[Finding]:
    """Images with an orientation other than 1."""
    for pair, photo in survey.images():
        if photo.orientation > 1:
            size = f"{photo.width}x{photo.height}"
            drawn = ""
            if pair.label and pair.label.shape in photo.shapes():
                upright, stored = photo.shapes()
                drawn = (
                    "; which view the mask was drawn on is unknown"
                    if upright == stored
                    else "; the mask was drawn on the upright view"
                    if pair.label.shape == upright
                    else "; the mask was drawn on the stored rows"
                )
            yield RULE.finding(
                pair.stem,
                survey.name(pair.image),
                f"EXIF orientation {photo.orientation} on {size} stored pixels{drawn}",
                "write it upright: segprep check --fix",
            )
