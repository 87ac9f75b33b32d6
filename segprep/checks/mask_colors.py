"""A mask is stored as colors instead of class ids.

Why: readers take the first channel, or the luminance, for the class.
Fix: segprep convert colormap reads colors by a table.
Source: F9.
"""

from collections.abc import Iterator

from segprep.checks._common.labels import cases
from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.imaging.image import voc_colors
from segprep.types import IGNORE, Finding

RULE = Rule("SEG303", "error", fix="colors")


def find(survey: Survey) -> Iterator[Finding]:
    """RGB masks; said whether their colors are VOC's."""
    voc = voc_colors()
    count = max(21, len(survey.classes.names) if survey.classes else 0)
    table = {tuple(voc[3 * n : 3 * n + 3]) for n in (*range(count), IGNORE)}
    for pair, label in cases(survey, "colors"):
        gray = bool(label.values)
        standard = label.color_count <= 256 and all(color in table for color in label.colors)
        what = "gray stored as RGB" if gray else "VOC's colors" if standard else "colors"
        shown = " ".join("({}, {}, {})".format(*color) for color in label.colors[:3])
        hint = (
            "segprep convert pairs reads the gray as ids"
            if gray
            else "segprep convert colormap --colors voc"
            if standard
            else "segprep convert colormap with your table of colors"
        )
        yield RULE.finding(
            pair.stem,
            survey.name(pair.mask),
            f"{what} ({label.mode}, {label.color_count} of them: {shown})",
            hint,
        )
