"""A reader looks for another extension.

Why: torchvision appends .jpg to every name; mmsegmentation has one suffix for all images.
Fix: segprep export voc, or convert with --image-format jpg.
Source: torchvision VOCSegmentation; mmsegmentation's img_suffix; nnU-Net's lossless file endings.
"""

from collections.abc import Iterator

from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG703", "error", readers=True)


def find(survey: Survey) -> Iterator[Finding]:
    """Images whose extension the readers do not find."""
    suffixes = {pair.image.suffix for pair in survey.pairs if pair.image}
    for pair in survey.pairs:
        suffix = pair.image.suffix if pair.image else ""
        blind = [
            name
            for name in survey.readers
            if (name == "torchvision" and suffix != ".jpg")
            or (name == "mmseg" and len(suffixes) > 1 and suffix != ".jpg")
            or (name == "nnunet" and suffix in (".jpg", ".jpeg"))
        ]
        if pair.image and blind:
            yield RULE.finding(
                pair.stem,
                survey.name(pair.image),
                f"{', '.join(blind)} will not find or accept {suffix}",
                "export the dataset for that tool",
            )
