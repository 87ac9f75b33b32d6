"""A reader takes 255 for a class, or refuses it.

Why: nnU-Net wants consecutive labels with the ignored one last; Keras' losses index past the end.
Fix: segprep export for that tool maps 255.
Source: nnU-Net's dataset format (ignore is the highest label); keras.losses.
"""

from collections.abc import Iterator

from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import IGNORE, Finding

RULE = Rule("SEG702", "error", readers=True, each=True)


def find(survey: Survey) -> Iterator[Finding]:
    """Masks with 255, for readers that do not ignore it."""
    blind = [name for name in survey.readers if name in ("nnunet", "keras")]
    for pair in survey.labeled if blind else ():
        if pair.label and IGNORE in pair.label.values:
            yield RULE.finding(
                pair.stem,
                survey.name(pair.mask),
                f"{', '.join(blind)} will take 255 (ignored) for a class or refuse it",
                "export the dataset for that tool",
            )
