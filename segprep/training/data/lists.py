"""Which samples are trained on and which are scored: the dataset's lists, or a seeded split in
memory where it has none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import numpy as np

from segprep.dataset.classes import MOST, make, parse_list
from segprep.dataset.tree import LISTS, Tree
from segprep.errors import SegprepError, UsageError
from segprep.splitting import partition
from segprep.types import IGNORE

SHARES = (80, 20)


@dataclass(frozen=True, slots=True)
class Selection:
    """Stems to train on and to score, in natural order, and notes on how they were chosen."""

    train: tuple[str, ...]
    val: tuple[str, ...]
    notes: tuple[str, ...] = ()


def check_lists(
    tree: Tree,
    stems: Sequence[str],
    learned: tuple[str, Sequence[str]],
    judged: tuple[str, Sequence[str]],
    *,
    scored: bool = False,
) -> None:
    """Raise SegprepError for lists, name and stems of what is *learned* and *judged*, that cannot
    be used: empty-list, no-val-images (only if *scored*), bad-list (an image stands in both),
    no-mask-for-stem (not among *stems*).
    """
    (train, to_learn), (val, to_judge) = learned, judged
    needed = [(train, to_learn, "empty-list", "train on")]
    needed += [(val, to_judge, "no-val-images", "score")] if scored else []
    for name, names, code, what in needed:
        if not names:
            reason = f"{tree.root / LISTS / name}.txt names no image, so there is nothing to {what}"
            hint = "split again: segprep split --overwrite --ratio 80/20"
            raise SegprepError(code, reason, hint + " --keep test" * bool(tree.lists().get("test")))
    if both := sorted(set(to_learn) & set(to_judge)):
        reason = f"{both[0]!r} and {len(both) - 1} more stand in {train} and in {val}"
        raise SegprepError("bad-list", reason, "split again: segprep split --overwrite")
    if missing := sorted({*to_learn, *to_judge} - set(stems)):
        reason = f"the lists name {missing[0]!r} and {len(missing) - 1} more that have no mask"
        raise SegprepError("no-mask-for-stem", reason, "segprep split --update fixes it")


def draw(stems: Sequence[str], seed: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(train, val): 80 to 20 of *stems* by *seed*, both in natural order."""
    groups = {stem: stem for stem in stems}
    train, val = partition.assign(
        stems, groups, partition.cut(len(stems), SHARES), Random(seed), {}, None
    )
    return partition.natural(train), partition.natural(val)


def class_names(tree: Tree, option: str | None, stems: Sequence[str]) -> tuple[str, ...]:
    """Class names: *option* (--classes: a file, a,b,c or a number), else the dataset's own, else
    one per id up to the largest in the masks of *stems*.
    """
    if option is not None and option.isdigit():
        if not 1 <= int(option) <= MOST:
            raise UsageError("bad-classes", f"--classes {option}: 1 to {MOST} are possible")
        return tuple(f"class {n}" for n in range(int(option)))
    if option is not None:
        return make(parse_list(option), add_background=False).names
    if (classes := tree.classes()) is not None:
        return classes.names
    counts = np.zeros(256, np.int64)
    for stem in stems:
        for value, count in tree.pixels(stem).items():
            counts[value] += count
    counts[IGNORE] = 0
    return tuple(f"class {n}" for n in range(int(np.flatnonzero(counts).max(initial=0)) + 1))
