"""Masks whose palette is not that of the others."""

from collections import Counter
from functools import lru_cache

from segprep.checks._common.survey import Pair, Survey


@lru_cache(maxsize=2)
def renumbered(survey: Survey) -> tuple[tuple[Pair, ...], str, int]:
    """The masks with a palette that at most a tenth have, where most have another; the digest of
    the usual palette ("" where most masks are gray, without any), and how many masks have it. Empty
    where nothing is usual.
    """
    palettes = Counter(
        pair.label.order for pair in survey.labeled if pair.label and not pair.label.colors
    )
    if not palettes:
        return (), "", 0
    usual, most = palettes.most_common(1)[0]
    if len(palettes) == 1:
        return (), usual, most
    few = max(1, palettes.total() // 10)
    return (
        tuple(
            pair
            for pair in survey.labeled
            if most > few
            and (label := pair.label)
            and label.palette == "other"
            and label.order != usual
            and palettes[label.order] <= few
        ),
        usual,
        most,
    )
