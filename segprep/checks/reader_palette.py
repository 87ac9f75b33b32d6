"""A reader will not read this palette mask as ids.

Why: OpenCV and scikit-image turn a palette into colors; nnU-Net and Keras read colors or gray.
Fix: segprep remap or convert with --mask-mode gray, or an export for that tool.
Source: measured with OpenCV, scikit-image, nnU-Net 2.8 and Keras 3.
"""

from collections.abc import Iterator

from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG701", "error", readers=True, each=True)


def find(survey: Survey) -> Iterator[Finding]:
    """Palette masks, for readers that show colors instead of indices."""
    blind = [name for name in survey.readers if name in ("cv2", "skimage", "nnunet", "keras")]
    for pair in survey.labeled if blind else ():
        if pair.label and pair.label.mode == "P" and pair.label.palette != "gray":
            yield RULE.finding(
                pair.stem,
                survey.name(pair.mask),
                f"{', '.join(blind)} will read the palette's colors, not the ids",
                "write gray masks: --mask-mode gray",
            )
