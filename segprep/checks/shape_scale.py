"""All shapes of a file are drawn on another scale than its image.

Why: coordinates of 0 to 1, or of a resized copy, put every object into the wrong place.
Fix: convert the coordinates with the tool that made them.
Source: F35.
"""

from collections.abc import Iterator

from segprep.checks._common import annotations
from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG807", "error")


def find(survey: Survey) -> Iterator[Finding]:
    """Files whose coordinates all lie within 0..1, or of which most shapes lie beyond the image."""
    for file in annotations.of(survey):
        size = file.size or file.recorded
        values = [value for outline in file.outlines for point in outline.points for value in point]
        if not size or not values or min(size) < 8:
            continue
        boxes = [outline.box() for outline in file.outlines]
        beyond = sum(box[2] > 1.1 * size[0] or box[3] > 1.1 * size[1] for box in boxes)
        if min(values) >= 0 and max(values) <= 1:
            text = "all coordinates lie within 0..1: they are shares of the size"
        elif file.recorded and file.size and file.recorded not in (file.size, file.size[::-1]):
            text = (
                f"drawn on {file.recorded[0]}x{file.recorded[1]}, its image is"
                f" {file.size[0]}x{file.size[1]}"
            )
        elif len(boxes) > 1 and 2 * beyond >= len(boxes):
            text = f"{beyond} of {len(boxes)} shapes reach beyond the {size[0]}x{size[1]} image"
        else:
            continue
        yield RULE.finding(
            file.stem,
            survey.name(file.path),
            text,
            "convert the coordinates to pixels of this image",
        )
