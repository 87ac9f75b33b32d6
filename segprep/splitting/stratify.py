"""Spread classes evenly over the parts of a split: rarest class first, then swaps that even out the
shares.

The first pass follows Sechidis, Tsoumakas and Vlahavas, "On the stratification of multi-label data"
(2011). Sums are exact (``math.fsum``, integers), so that every machine takes the same decisions.
"""

from collections.abc import Mapping, Sequence
from math import fsum
from random import Random

from segprep.types import Unit

# one class that a part lacks, though it could have it, outweighs every difference of shares
MISSING = 1e6


def _total(vectors: Mapping[str, Sequence[int]], stems: Sequence[str], width: int) -> list[int]:
    return [sum(vectors[stem][n] for stem in stems) for n in range(width)]


def spread(
    free: Sequence[Unit],
    targets: Sequence[int],
    parts: Sequence[Sequence[str]],
    vectors: Mapping[str, Sequence[int]],
) -> list[list[Unit]]:
    """Place the *free* units, rarest class first, where that class is lacked most; sizes come
    first, so targets are met.
    """
    width = len(next(iter(vectors.values()), ()))
    amounts = {unit: _total(vectors, unit, width) for unit in free}
    whole = _total(vectors, list(vectors), width)
    count = sum(targets) or 1
    lacking = [
        [whole[n] * target / count - have for n, have in enumerate(_total(vectors, part, width))]
        for target, part in zip(targets, parts, strict=True)
    ]
    room = [target - len(part) for target, part in zip(targets, parts, strict=True)]
    placed: list[list[Unit]] = [[] for _ in targets]
    left = dict.fromkeys(free)
    carriers = sorted((sum(1 for unit in free if amounts[unit][n]), n) for n in range(width))
    for _, rarest in [*carriers, (0, -1)]:
        batch = [unit for unit in left if rarest < 0 or amounts[unit][rarest]]
        for unit in sorted(
            batch,
            key=lambda unit: amounts[unit][rarest] if rarest >= 0 else len(unit),
            reverse=True,
        ):
            fits = [n for n in range(len(targets)) if room[n] >= len(unit)] or [
                max(range(len(targets)), key=lambda n: (targets[n] > 0, room[n]))
            ]
            best = max(fits, key=lambda n: (lacking[n][rarest] if rarest >= 0 else 0.0, room[n]))
            placed[best].append(unit)
            room[best] -= len(unit)
            lacking[best] = [
                have - more for have, more in zip(lacking[best], amounts[unit], strict=True)
            ]
            del left[unit]
    return placed


def balance(
    placed: list[list[Unit]],
    targets: Sequence[int],
    parts: Sequence[Sequence[str]],
    vectors: Mapping[str, Sequence[int]],
    rng: Random,
    tries: int = 40_000,
) -> list[list[Unit]]:
    """Swap random units of equal size between parts as long as that brings class shares closer to
    the whole set's.
    """
    width = len(next(iter(vectors.values()), ()))
    whole = _total(vectors, list(vectors), width)
    wide = {
        n
        for n in range(width)
        if sum(1 for vector in vectors.values() if vector[n])
        >= len([target for target in targets if target])
    }
    sums = [
        _total(vectors, [*part, *(stem for unit in more for stem in unit)], width)
        for part, more in zip(parts, placed, strict=True)
    ]
    amounts = {unit: _total(vectors, unit, width) for more in placed for unit in more}
    used = [n for n, more in enumerate(placed) if more]
    costs = [_cost(amounts_of, whole, wide) for amounts_of in sums]
    for trial in range(tries if len(used) > 1 else 0):
        a, b = used[int(rng.random() * len(used))], used[int(rng.random() * len(used))]
        i, j = int(rng.random() * len(placed[a])), int(rng.random() * len(placed[b]))
        first, second = placed[a][i], placed[b][j]
        if a == b or len(first) != len(second):
            continue
        change = [y - x for x, y in zip(amounts[first], amounts[second], strict=True)]
        new = (
            [x + d for x, d in zip(sums[a], change, strict=True)],
            [x - d for x, d in zip(sums[b], change, strict=True)],
        )
        cost = _cost(new[0], whole, wide), _cost(new[1], whole, wide)
        slack = 1 + 0.5 * max(
            0.0, 1 - 2 * trial / tries
        )  # threshold accepting: at first also a little worse
        if fsum(cost) < slack * fsum((costs[a], costs[b])):
            placed[a][i], placed[b][j] = second, first
            (sums[a], sums[b]), (costs[a], costs[b]) = new, cost
    return placed


def _cost(have: Sequence[int], whole: Sequence[int], wide: set[int]) -> float:
    """How far the class shares of one part are from the whole set's, and how many classes it
    lacks.
    """
    total, everything = sum(have) or 1, sum(whole) or 1
    missing = sum(1 for n in wide if not have[n])
    return (
        fsum((h / total - w / everything) ** 2 for h, w in zip(have, whole, strict=True))
        + MISSING * missing
    )
