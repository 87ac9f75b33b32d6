"""A few images differ in kind from the rest: gray among color, 16-bit among 8-bit, other bands.

Why: they were exported in another way; normalization and color augmentation treat them wrongly.
Fix: convert them like the others.
Source: F20.
"""

from collections import Counter
from collections.abc import Iterator

from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Pair, Survey
from segprep.types import Finding

RULE = Rule("SEG110", "warning")


def find(survey: Survey) -> Iterator[Finding]:
    """Images of a pixel type that few others share; one color all over has no type."""
    kinds = Counter(kind for _, kind in _kinds(survey))
    if len(kinds) < 2:
        return
    (usual, most), total = kinds.most_common(1)[0], kinds.total()
    if most < 0.9 * total or total < 10:
        return
    for pair, kind in _kinds(survey):
        if kind != usual:
            yield RULE.finding(
                pair.stem,
                survey.name(pair.image),
                f"{kind}; {most} of {total} images are {usual}",
                "export it like the others",
                score=1 - kinds[kind] / total,
            )


def _kinds(survey: Survey) -> Iterator[tuple[Pair, str]]:
    for pair, photo in survey.images():
        if photo.span[0] < photo.span[1]:
            yield pair, _kind(photo.mode, photo.gray)


def _kind(mode: str, gray: bool) -> str:
    if mode.startswith("I") or mode == "F":
        return "16-bit gray" if mode != "F" else "float"
    if mode in ("RGBA", "LA", "PA"):
        return "color with alpha" if mode == "RGBA" else "gray with alpha"
    return "gray" if gray else "color"
