"""Colors and positions suggest that two classes of an image are swapped, or inverted.

Why: this image teaches the opposite of all others.
Fix: look at it (segprep view); segprep remap swaps classes, for single masks export them again.
Source: F7, F39; color and place given the class, leaving the image out.
"""

from collections.abc import Iterator
from itertools import islice

from segprep.checks._common.fit import judged
from segprep.checks._common.labels import causes
from segprep.checks._common.likelihood import swaps
from segprep.checks._common.palettes import renumbered
from segprep.checks._common.polarity import Groups, groups
from segprep.checks._common.rule import Rule
from segprep.checks._common.shifted_ids import shifted
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG605", "warning")
EXAMPLES = 3


def find(survey: Survey) -> Iterator[Finding]:
    """Masks that two swapped classes would explain much better."""
    mixed = groups(survey)
    swapped = {stem: (swap.classes, swap.score) for stem, swap in swaps(survey).items()}
    if mixed and not mixed.certain and 2 * len(swapped) < len(mixed.smaller):
        yield _half(survey, mixed)
        return
    if mixed and mixed.certain:
        for number, score in mixed.smaller.items():
            swapped.setdefault(survey.pairs[number].stem, (mixed.classes, score))
    by_palette = {pair.stem for pair in renumbered(survey)[0]}
    others = (causes(survey), by_palette, judged(survey).misfits, shifted(survey))
    for stem, (classes, score) in swapped.items():
        if any(stem in stems for stems in others):
            continue  # its values mean something else, or lie elsewhere
        first, second = map(survey.label_name, classes)
        yield RULE.finding(
            stem,
            survey.name(survey.pair(stem).mask),
            f"colors and places say that {first} and {second} are swapped",
            "look at it: segprep view",
            score=round(min(score, 99.0), 2),
        )


def _half(survey: Survey, mixed: Groups) -> Finding:
    """That the masks contradict each other, and the data do not say which of them are right."""
    first, second = map(survey.label_name, mixed.classes)
    number = len(mixed.smaller)
    stems = ", ".join(survey.pairs[n].stem for n in islice(mixed.smaller, EXAMPLES))
    return RULE.finding(
        "",
        "",
        f"about half of the masks are inverted: in {number} of {mixed.count} ({stems}, …), {first}"
        f" and {second} are the other way round than in the rest",
        "look at both kinds: segprep view; then invert one of them",
        score=round(number / mixed.count, 2),
    )
