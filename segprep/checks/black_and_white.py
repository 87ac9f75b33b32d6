"""A mask holds 0 and 255 (or 128) where class ids belong: 255 means ignored.

Why: every foreground pixel is excluded from the loss, and the model learns only the background.
Fix: segprep remap DATASET OUT --ids 0=background,255=NAME, or segprep convert binary.
Source: F8; the most frequent fault of U-Net tutorials.
"""

from collections.abc import Iterator

from segprep.checks._common.labels import cases, listed
from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG302", "error", fix="ids")


def find(survey: Survey) -> Iterator[Finding]:
    """Black and white masks, where 255 cannot be the ignored pixels of the set."""
    names = [name for n, name in enumerate(survey.classes.names) if n] if survey.classes else []
    name = names[0] if len(names) == 1 else "NAME"
    start = "remap DATASET" if survey.kind == "tree" else "convert pairs SRC"
    for pair, label in cases(survey, "black-and-white"):
        three = ",128=ignored" if 128 in label.values else ""
        yield RULE.finding(
            pair.stem,
            survey.name(pair.mask),
            f"black and white: {listed(label.values, set(label.values))}; 255 means ignored",
            f"segprep {start} OUT --ids 0=background,255={name}{three}".replace(
                "=ignored", "=__ignore__"
            ),
        )
