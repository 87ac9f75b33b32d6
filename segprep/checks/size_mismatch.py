"""Image and mask differ in size.

Why: no trainer can pair their pixels; resizing the mask hides that the pair is wrong.
Fix: pair each mask with its own image; if the image was resized, export the mask again.
Source: F1, F3, F14.
"""

from collections.abc import Iterator

from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG201", "error", each=True)


def find(survey: Survey) -> Iterator[Finding]:
    """Masks whose size fits neither the upright nor the stored view of the image."""
    for pair in survey.complete:
        assert pair.photo
        assert pair.label
        shape, views = pair.label.shape, pair.photo.shapes()
        if shape not in views:
            height, width = views[0]
            turned = shape == (width, height)
            ratio = shape[1] / width
            even = abs(ratio - shape[0] / height) < 0.01 and not turned
            why = (
                "; rotated by 90 degrees"
                if turned
                else f"; scaled by {ratio:.3g}"
                if even
                else "; cropped, or of another image"
            )
            yield RULE.finding(
                pair.stem,
                survey.name(pair.mask),
                f"the mask is {shape[1]}x{shape[0]}, its image {width}x{height} pixels{why}",
                "pair the mask with its own image, or export it at the image's size",
            )
