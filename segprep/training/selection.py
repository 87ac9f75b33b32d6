"""Which samples are trained on and which are scored: the dataset's lists, or a seeded split in memory where it has none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np

from .. import classes as class_lists
from .. import partition
from ..errors import SegprepError, UsageError
from ..tree import LISTS, Tree
from ..types import IGNORE
from .budget import MOST_TRAIN, MOST_VAL

SHARES = (80, 20)
FEWEST = 4  # below, there is nothing to judge, whatever the lists say


@dataclass(frozen=True, slots=True)
class Selection:
    """Stems to train on and to score, in natural order, and what a person should know of how they were chosen."""

    train: tuple[str, ...]
    val: tuple[str, ...]
    notes: tuple[str, ...] = ()


def select(place: Tree, seed: int) -> Selection:
    """The train and val lists of *place*, sampled by *seed* where they are longer than a check can use.

    Raises SegprepError: empty-list (no samples, or an empty train list), no-val-images, no-mask-for-stem.
    """
    stems, lists = place.stems(), place.lists()
    if not stems:
        raise SegprepError("empty-list", f"{place.root} has no samples", "convert some first")
    if len(stems) < FEWEST:
        return Selection(stems, ())
    if "train" not in lists and "val" not in lists:
        kept = set(lists.get("test", ()))  # an official test list is nobody's to train on
        train, val = _drawn([stem for stem in stems if stem not in kept], seed)
        return _limited(
            train, val, seed, [f"the dataset has no train and val lists: {len(train)} images to train on and {len(val)} to score were drawn with seed {seed}"]
        )
    train, val = (_listed(place, stems, lists, name) for name in ("train", "val"))
    if both := sorted(set(train) & set(val)):
        raise SegprepError("bad-list", f"{both[0]!r} and {len(both) - 1} more stand in train.txt and in val.txt", "split anew: segprep split --overwrite")
    return _limited(train, val, seed, [])


def _listed(place: Tree, stems: Sequence[str], lists: Mapping[str, tuple[str, ...]], name: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(lists.get(name, ())))
    if not found:
        code, what = ("empty-list", "train on") if name == "train" else ("no-val-images", "score")
        place_of = Path(LISTS) / f"{name}.txt"
        raise SegprepError(
            code, f"{place.root / place_of} names no image, so there is nothing to {what}", "split anew: segprep split --overwrite --ratio 80/20"
        )
    if missing := sorted(set(found) - set(stems)):
        raise SegprepError(
            "no-mask-for-stem", f"{name}.txt names {missing[0]!r} and {len(missing) - 1} more that have no mask", "segprep split --update mends it"
        )
    return found


def _drawn(stems: Sequence[str], seed: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    groups = {stem: stem for stem in stems}
    train, val = partition.assign(stems, groups, partition.cut(len(stems), SHARES), Random(seed), {}, None)
    return partition.natural(train), partition.natural(val)


def _limited(train: tuple[str, ...], val: tuple[str, ...], seed: int, notes: list[str]) -> Selection:
    parts = []
    for name, stems, most in (("train", train, MOST_TRAIN), ("val", val, MOST_VAL)):
        if len(stems) > most:
            notes.append(f"{most} of the {len(stems)} images of {name} were drawn with seed {seed}")
        parts.append(stems if len(stems) <= most else partition.natural(partition.shuffled(stems, Random(seed))[:most]))
    return Selection(parts[0], parts[1], tuple(notes))


def class_names(place: Tree, given: str | None, stems: Sequence[str]) -> tuple[str, ...]:
    """Class names: *given* (--classes: a file, a,b,c or a number), else the dataset's own, else one per id up to the largest in the masks of *stems*."""
    if given is not None and given.isdigit():
        if not 1 <= int(given) <= class_lists.MOST:
            raise UsageError("bad-classes", f"--classes {given}: 1 to {class_lists.MOST} are possible")
        return tuple(f"class {n}" for n in range(int(given)))
    if given is not None:
        return class_lists.make(class_lists.parse_list(given), add_background=False).names
    if (known := place.classes()) is not None:
        return known.names
    counts = np.zeros(256, np.int64)
    for stem in stems:
        for value, count in place.pixels(stem).items():
            counts[value] += count
    counts[IGNORE] = 0
    return tuple(f"class {n}" for n in range(int(np.flatnonzero(counts).max(initial=0)) + 1))
