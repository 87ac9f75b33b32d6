"""Stems to parts of exact size: seeded, by group, with some stems fixed. Pure arithmetic; files are
splitting's business.

Randomness comes from one generator, of which only ``random()`` is used: its sequence is guaranteed
for a seed.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from random import Random
from typing import Any

from segprep.errors import UsageError
from segprep.names import natural_order
from segprep.splitting.stratify import balance, spread
from segprep.types import Unit


def natural(stems: Iterable[str]) -> tuple[str, ...]:
    """*stems* in natural order."""
    return tuple(natural_order(stems))


def cut(count: int, shares: Sequence[int]) -> list[int]:
    """*count* samples in proportion to *shares*, by integer arithmetic; no part with a share stays
    empty while *count* allows.

    >>> cut(101, (70, 20, 10)), cut(30, (70, 20, 10)), cut(2, (70, 20, 10))
    ([70, 20, 11], [21, 6, 3], [1, 1, 0])
    """
    total, ends = sum(shares) or 1, [0]
    for n in range(len(shares)):
        ends.append(count * sum(shares[: n + 1]) // total)
    sizes = [end - start for start, end in pairwise(ends)]
    shared = [n for n, share in enumerate(shares) if share]
    if count < len(shared):
        return [int(n in shared[:count]) for n in range(len(shares))]
    for n in shared:
        if not sizes[n]:
            sizes[max(range(len(sizes)), key=sizes.__getitem__)] -= 1
            sizes[n] = 1
    return sizes


def shuffled(elements: Sequence[Any], rng: Random) -> list[Any]:
    """*elements* in random order (Fisher and Yates), from ``rng.random()`` alone."""
    result = list(elements)
    for last in range(len(result) - 1, 0, -1):
        other = int(rng.random() * (last + 1))
        result[last], result[other] = result[other], result[last]
    return result


def assign(
    stems: Sequence[str],
    groups: Mapping[str, str],
    targets: Sequence[int],
    rng: Random,
    fixed: Mapping[str, int],
    vectors: Mapping[str, Sequence[int]] | None,
) -> list[list[str]]:
    """Every stem to one part; part n aims at *targets[n]* stems. *fixed* stems stay in their part
    and take their group along.

    *vectors* (stem -> amount per class) asks for equal class shares in all parts. Raises UsageError
    if a group is fixed to two parts.
    """
    parts: list[list[str]] = [[] for _ in targets]
    units: dict[str, list[str]] = defaultdict(list)
    homes: dict[str, int] = {}
    for stem in natural(stems):
        if stem in fixed:
            parts[fixed[stem]].append(stem)
            if homes.setdefault(groups[stem], fixed[stem]) != fixed[stem]:
                raise UsageError(
                    "bad-group",
                    f"group {groups[stem]!r} lies in two lists already ({stem} is one of them)",
                    "split again with --overwrite, or without --group-by",
                )
    for stem in natural(stems):
        if stem not in fixed:
            units[groups[stem]].append(stem)
    for name in [name for name in units if name in homes]:
        parts[homes[name]] += units.pop(name)
    free = shuffled([tuple(unit) for unit in units.values()], rng)
    placed = (
        balance(spread(free, targets, parts, vectors), targets, parts, vectors, rng)
        if vectors
        else _fill(free, targets, parts)
    )
    _no_empty(placed, targets, parts)
    return [
        [*part, *(stem for unit in more for stem in unit)]
        for part, more in zip(parts, placed, strict=True)
    ]


def _fill(
    free: Sequence[Unit], targets: Sequence[int], parts: Sequence[Sequence[str]]
) -> list[list[Unit]]:
    """Large units first, each to the part that lacks the greatest share of its target among those
    that can take it whole.
    """
    placed: list[list[Unit]] = [[] for _ in targets]
    lacking = [target - len(part) for target, part in zip(targets, parts, strict=True)]
    for unit in sorted(free, key=len, reverse=True):
        fitting = [n for n, lack in enumerate(lacking) if lack >= len(unit)]
        best = (
            max(fitting, key=lambda n: (Fraction(lacking[n], targets[n]), targets[n]))
            if fitting
            else max(range(len(targets)), key=lambda n: (targets[n] > 0, lacking[n]))
        )
        placed[best].append(unit)
        lacking[best] -= len(unit)
    return placed


def _no_empty(
    placed: list[list[Unit]], targets: Sequence[int], parts: Sequence[Sequence[str]]
) -> None:
    """Give an empty part that has a target the smallest unit of the part with most units."""
    for n, target in enumerate(targets):
        richest = max(range(len(placed)), key=lambda m: len(placed[m]))
        if target and not placed[n] and not parts[n] and len(placed[richest]) > 1:
            unit = min(placed[richest], key=len)
            placed[richest].remove(unit)
            placed[n].append(unit)
