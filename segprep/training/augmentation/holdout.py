"""A validation split taken from the list of a generator, by position or at random.

first: as Keras' ImageDataGenerator(validation_split), whose subset "validation" is the first part
of the sorted file names (string order: 0, 1, 10, 11). last: as Keras' fit(validation_split), which
takes the last part of the arrays before it shuffles them. random: a seeded draw, the same whatever
the order of the input.
"""

from collections.abc import Sequence
from fractions import Fraction
from math import floor
from random import Random
from typing import Literal, get_args

from segprep.errors import SegprepError
from segprep.splitting.partition import natural, shuffled
from segprep.training.augmentation.steps import need, need_number

How = Literal["first", "last", "random"]


def validation_split(
    stems: Sequence[str], share: float, how: How = "random", seed: int = 0
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(training, validation): *share* of *stems* for validation, both parts in the given order. 0
    gives no validation.

    Counts are Keras': floor(share * N) for first and random, N - floor((1 - share) * N) for last,
    in exact decimals (Keras' own floats lose a sample here and there). first and last cut the list
    as it is given: Keras' order is sorted(stems). Raises UsageError (bad-option), SegprepError
    (empty-list, too-few-samples).

    >>> validation_split([str(n) for n in range(10)], 0.2, "first")[1], validation_split([str(n) for n in range(10)], 0.2, "last")[1]
    (('0', '1'), ('8', '9'))
    """
    need_number("validation_split", share, 0, 0.99)
    need(how in get_args(How), f"how has to be one of {', '.join(get_args(How))}, not {how!r}")
    need(
        len(set(stems)) == len(stems),
        "a sample is named twice in the list",
        "take the second one out",
    )
    if not stems:
        raise SegprepError(
            "empty-list", "there is no sample to split", "split the dataset, or mend the list"
        )
    part = Fraction(str(share))
    count = (
        len(stems) - floor((1 - part) * len(stems)) if how == "last" else floor(part * len(stems))
    )
    if (share and not count) or count == len(stems):
        left = "training" if count else "validation"
        raise SegprepError(
            "too-few-samples",
            f"{share:g} of {len(stems)} samples leaves none for {left}",
            "take another share, or more samples",
        )
    held = _held(stems, count, how, seed)
    return tuple(stem for stem in stems if stem not in held), tuple(
        stem for stem in stems if stem in held
    )


def _held(stems: Sequence[str], count: int, how: How, seed: int) -> set[str]:
    if how == "first":
        return set(stems[:count])
    if how == "last":
        return set(stems[len(stems) - count :])
    return set(shuffled(natural(stems), Random(seed))[:count])
