"""A reader splits names at blanks, or cuts them at a dot.

Why: list files are split at blanks by many readers; mmsegmentation replaces .jpg inside names.
Fix: rename image and mask alike, without blanks.
Source: torchvision strips lines; Ultralytics and mmsegmentation read them as paths.
"""

from collections.abc import Iterator

from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG704", "error", readers=True, each=True)


def find(survey: Survey) -> Iterator[Finding]:
    """Stems with blanks, or with an extension inside."""
    blind = [name for name in survey.readers if name in ("torchvision", "mmseg", "ultralytics")]
    for pair in survey.pairs if blind else ():
        if " " in pair.stem or ".jpg" in pair.stem.lower() or "\t" in pair.stem:
            yield RULE.finding(
                pair.stem,
                survey.name(pair.mask or pair.image),
                f"{', '.join(blind)} may cut the name at a blank or at .jpg",
                "rename image and mask alike",
            )
