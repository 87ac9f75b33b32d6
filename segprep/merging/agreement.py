"""How far two people agree who drew the same picture: the IoU of their masks per class."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from segprep.conversion import tree_source
from segprep.dataset.tree import Tree
from segprep.errors import SourceError
from segprep.types import IGNORE, MAX_PIXELS, Entry


@dataclass(frozen=True, slots=True)
class Agreement:
    """The *iou* of one class over all pictures that the datasets *first* and *second* share: pixels
    that both, over pixels that either gives this class; pixels ignored in one count in neither.
    """

    first: str
    second: str
    name: str
    images: int
    iou: float


def agreement(
    trees: Sequence[Tree], groups: Sequence[Sequence[tuple[int, Entry]]]
) -> tuple[Agreement, ...]:
    """One value per class name and pair of *trees*, or for a tree alone, from *groups* of entries
    that show one picture.

    Masks of different sizes, or that cannot be read, are skipped.
    """
    both: dict[tuple[int, int, str], int] = defaultdict(int)
    either: dict[tuple[int, int, str], int] = defaultdict(int)
    images: dict[tuple[int, int], int] = defaultdict(int)
    for group in groups:
        for (first, entry), (second, other) in combinations(group, 2):
            if first == second and len(trees) > 1:
                continue
            try:
                masks = [_named(trees[first], entry), _named(trees[second], other)]
            except SourceError:
                continue
            _count(masks, (first, second), both, either)
            images[first, second] += 1
    return tuple(
        Agreement(
            trees[first].root.name,
            trees[second].root.name,
            name,
            images[first, second],
            both[first, second, name] / count,
        )
        for (first, second, name), count in sorted(either.items())
        if count
    )


def _named(dataset: Tree, entry: Entry) -> dict[str, NDArray[np.bool_]]:
    """Where each class is, by name; ``""`` where the mask is ignored."""
    classes = tree_source.classes_of(dataset)
    sample, _ = tree_source.upright(entry, (dataset.root,), classes, MAX_PIXELS)
    masks = {name: sample.mask == value for value, name in enumerate(classes.names)}
    return {**masks, "": sample.mask == IGNORE}


def _count(
    masks: Sequence[dict[str, NDArray[np.bool_]]],
    pair: tuple[int, int],
    both: dict[tuple[int, int, str], int],
    either: dict[tuple[int, int, str], int],
) -> None:
    first, second = masks
    if first[""].shape != second[""].shape:
        return
    counted = ~(first[""] | second[""])
    for name in first.keys() & second.keys() - {""}:
        left, right = first[name] & counted, second[name] & counted
        both[*pair, name] += int(np.count_nonzero(left & right))
        either[*pair, name] += int(np.count_nonzero(left | right))
