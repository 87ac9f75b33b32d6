"""One drawing of lists and folds: options, groups, targets."""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from segprep.dataset import scenes
from segprep.dataset.equal_images import Equal, equal_images
from segprep.dataset.tree import SPLITS, Tree
from segprep.errors import UsageError
from segprep.splitting.partition import assign, cut, natural
from segprep.splitting.ratio import Ratio, parse_ratio
from segprep.splitting.together import joined
from segprep.splitting.vectors import class_amounts

Lists = Mapping[str, Sequence[str]]
Folds = tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class SplitOptions:
    """How to split: what was given, or recorded, or the default."""

    seed: int
    ratio: str
    shares: Ratio
    group_by: str | None
    stratify: str | None
    folds: int
    equal: str
    keep: tuple[str, ...]

    @staticmethod
    def of(
        old: Mapping[str, Any],
        seed: int | None,
        ratio: str | None,
        group_by: str | None,
        stratify: str | None,
        folds: int | None,
        equal: str | None,
        keep: Sequence[str],
    ) -> "SplitOptions":
        """What is given, else what *old*, the split record, says, else the default."""
        text, shares = parse_ratio(ratio or old.get("ratio", "70/20/10"))
        return SplitOptions(
            int(old.get("seed", 0)) if seed is None else seed,
            text,
            shares,
            old.get("group_by") if group_by is None else group_by,
            stratify or old.get("stratify"),
            int(old.get("folds", 0)) if folds is None else folds,
            equal or old.get("equal", "together"),
            tuple(keep),
        )

    def record(self, counts: Mapping[str, int]) -> dict[str, Any]:
        """What the manifest keeps."""
        record = {
            "seed": self.seed,
            "ratio": self.ratio,
            "group_by": self.group_by,
            "stratify": self.stratify,
            "folds": self.folds,
            "keep": list(self.keep),
            "counts": dict(counts),
        }
        return record if self.equal == "together" else {**record, "equal": self.equal}


class Draw:
    """One drawing of lists and folds; *recorded* as :func:`equal_images` takes it."""

    def __init__(
        self,
        home: Tree,
        stems: Sequence[str],
        choice: SplitOptions,
        fixed: Mapping[str, int],
        keep: tuple[str, ...],
        jobs: int,
        recorded: "array[int] | None" = None,
    ) -> None:
        self.stems, self.choice, self.fixed, self.keep = stems, choice, fixed, keep
        self.shares = choice.shares
        self.groups, self.group_notes = scenes.groups_of(home, stems, choice.group_by, jobs=jobs)
        self.equal: Equal = (
            equal_images(home, stems, jobs=jobs, recorded=recorded)
            if choice.equal == "together"
            else ()
        )
        self.vectors = (
            class_amounts(home, stems, choice.stratify, jobs) if choice.stratify else None
        )

    def lists(self) -> tuple[dict[str, tuple[str, ...]], Equal]:
        """train, val, test and trainval; and the equal images that lie in two of them."""
        groups, apart = joined(self.groups, self.equal, self.fixed, self.choice.keep)
        targets = _targets(len(self.stems), self.shares, self.fixed, self.keep)
        rng = Random(self.choice.seed)
        parts = assign(self.stems, groups, targets, rng, self.fixed, self.vectors)
        result = {name: natural(part) for name, part in zip(SPLITS, parts, strict=True)}
        homes = {stem: name for name in SPLITS for stem in result[name]}
        apart = tuple(equal for equal in apart if len({homes[stem] for stem in equal}) > 1)
        result["trainval"] = natural((*result["train"], *result["val"]))
        return result, apart

    def folds(self, stems: Sequence[str], lists: Lists) -> Folds:
        """Folds over *stems*: each part is validation once.

        Old members, from *lists*, stay in their fold.
        """
        count = self.choice.folds
        if not count:
            return ()
        old = {stem: n for n in range(count) for stem in lists.get(f"fold{n}val", ())}
        present = set(stems)
        fixed = {stem: n for stem, n in old.items() if stem in present}
        groups = {stem: self.groups[stem] for stem in stems}
        groups, _ = joined(groups, self.equal, fixed)
        units = len(set(groups.values()))
        if not 2 <= count <= units:
            raise UsageError(
                "too-few-samples",
                f"{count} folds need at least 2 and at most as many as there are groups ({units})",
                "give another --folds",
            )
        rng = Random(self.choice.seed + 1)
        parts = assign(stems, groups, cut(len(stems), (1,) * count), rng, fixed, self.vectors)
        return tuple((natural(present - set(part)), natural(part)) for part in parts)


def _targets(count: int, shares: Ratio, fixed: Mapping[str, int], keep: Sequence[str]) -> list[int]:
    """How many stems each list should have: all by *shares*; with kept lists, what they leave by
    the other lists' shares.
    """
    kept = [SPLITS.index(name) for name in keep]
    sizes = [
        sum(1 for home in fixed.values() if home == n) if n in kept else 0
        for n in range(len(shares))
    ]
    rest = cut(
        count - sum(sizes), tuple(0 if n in kept else share for n, share in enumerate(shares))
    )
    return [size + more for size, more in zip(sizes, rest, strict=True)]
