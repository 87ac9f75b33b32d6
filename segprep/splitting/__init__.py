"""Seeded, exact, sticky splits: train/val/test lists and folds, by sample or by group, optionally
stratified.

The same seed gives the same lists on every machine and for every order of the directory listing.
"""

import re
from collections import defaultdict
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from pathlib import Path
from random import Random
from typing import Any, Literal

from segprep import engine
from segprep.dataset import manifest, tree
from segprep.dataset.manifest import MANIFEST
from segprep.dataset.staging import lock
from segprep.dataset.tree import LISTS, SPLITS, Tree
from segprep.errors import SegprepError, TreeError, UsageError
from segprep.files import write_atomic
from segprep.grouping import groups_of
from segprep.splitting.partition import assign, cut, natural
from segprep.types import Note

Ratio = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Split:
    """The lists of a dataset, each in natural order; *folds* are (train, val) pairs over trainval;
    *record* is what the manifest keeps.
    """

    lists: Mapping[str, tuple[str, ...]]
    folds: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]
    record: Mapping[str, Any]
    notes: tuple[Note, ...]
    root: Path

    @property
    def counts(self) -> dict[str, int]:
        """How many samples train, val and test have."""
        return {name: len(self.lists[name]) for name in SPLITS}


def split(
    dataset: str | Path = ".",
    *,
    seed: int | None = None,
    ratio: str | None = None,
    group_by: str | None = None,
    stratify: Literal["pixels", "presence"] | None = None,
    folds: int | None = None,
    keep: Sequence[str] = (),
    update: bool = False,
    overwrite: bool = False,
    dry_run: bool = False,
    jobs: int = 1,
) -> Split:
    """Split *dataset* and write ImageSets/Segmentation/{train,val,test,trainval}.txt and the split
    record.

    *ratio* is train/val/test, 70/20/10 by default, *seed* 0. *group_by* is a regular expression
    (its first group, or the whole match, names the group of a stem) or a CSV file of stem,group.
    *keep* names lists that stay as they are. *update* leaves every sample where it is and places
    only new ones; options that it is not given come from the split record.

    Raises UsageError, TreeError (lists exist and neither *update* nor *overwrite* is given),
    LockedError.
    """
    if ratio:
        parse_ratio(ratio)
    place = tree.find(Path(dataset))
    made = place.manifest
    old = dict(made.split or {}) if made and update else {}
    lists = place.lists()
    standing = [name for name in SPLITS if name in lists and name not in keep]
    begun = bool(
        made and not made.split
    )  # ours, but no split was ever finished: lists can be a killed run's
    if standing and not (update or overwrite or begun):
        raise _already(place, standing)
    if update and not standing:
        raise UsageError(
            "nothing-to-keep",
            f"{place.root} has no lists to update",
            "split it first, without --update",
        )
    seed = int(old.get("seed", 0)) if seed is None else seed
    ratio_text, shares = parse_ratio(ratio or old.get("ratio", "70/20/10"))
    group_by, stratify = group_by or old.get("group_by"), stratify or old.get("stratify")
    folds = int(old.get("folds", 0)) if folds is None else folds
    stems = place.stems()
    if not stems:
        raise SegprepError("too-few-samples", f"{place.root} has no samples", "convert some first")
    fixed, notes = _fixed(place, stems, lists, SPLITS if update else keep, old)
    groups = groups_of(stems, group_by)
    vectors = _vectors(place, stems, stratify, jobs) if stratify else None
    parts = assign(
        stems,
        groups,
        _targets(len(stems), shares, fixed, () if update else keep),
        Random(seed),
        fixed,
        vectors,
    )
    result = {name: natural(part) for name, part in zip(SPLITS, parts, strict=True)}
    _guard_kept(result, keep, fixed)
    result["trainval"] = natural((*result["train"], *result["val"]))
    if (
        begun
        and any(lists[name] != result[name] for name in standing)
        and not (update or overwrite)
    ):
        raise _already(place, standing)
    pairs = _folds(
        result["trainval"], groups, folds, Random(seed + 1), vectors, lists if update else {}
    )
    record = {
        "seed": seed, "ratio": ratio_text, "group_by": group_by, "stratify": stratify, "folds": folds, "keep": list(keep),
        "counts": {name: len(result[name]) for name in SPLITS},
    }  # fmt: skip
    made_split = Split(
        result, pairs, record, (*notes, *_remarks(place, result, shares, bool(made))), place.root
    )
    if not dry_run:
        with lock(place.root):
            _write(place, made_split)
    return made_split


def _guard_kept(
    result: Mapping[str, Sequence[str]], keep: Sequence[str], fixed: Container[str]
) -> None:
    """Raise UsageError where a group would add samples to a list that is kept."""
    for name in keep:
        if more := [stem for stem in result[name] if stem not in fixed]:
            raise UsageError(
                "bad-group",
                f"{more[0]!r} belongs to a group of the kept list {name}, which would grow",
                "add it to the list, or group otherwise",
            )


def _already(place: Tree, standing: Sequence[str]) -> TreeError:
    return TreeError(
        "lists-exist",
        f"{place.root} is already split ({', '.join(standing)})",
        "add new samples with --update, or split anew with --overwrite (lists named with --keep"
        " stay)",
    )


def parse_ratio(text: str) -> tuple[str, Ratio]:
    """*text* (70/20/10, 80/20, .7/.2/.1) as it is recorded, and as whole numbers.

    Raises UsageError.
    """
    try:
        parts = [Fraction(part) for part in text.split("/")]
    except (ValueError, ZeroDivisionError) as error:
        raise UsageError(
            "bad-ratio", f"the ratio {text!r} is not train/val/test", "for example --ratio 70/20/10"
        ) from error
    if not 2 <= len(parts) <= 3 or min(parts) < 0 or sum(parts) not in (1, 10, 100):
        raise UsageError(
            "bad-ratio",
            f"the ratio {text!r} does not add up to 100 in two or three parts",
            "for example --ratio 70/20/10 or --ratio 80/20",
        )
    parts += [Fraction(0)] * (3 - len(parts))
    scale = lcm(*(part.denominator for part in parts))
    return "/".join(f"{float(part * 100 / sum(parts)):g}" for part in parts), tuple(
        int(part * scale) for part in parts
    )


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


def _fixed(
    place: Tree,
    stems: Sequence[str],
    lists: Mapping[str, Sequence[str]],
    names: Sequence[str],
    old: Mapping[str, Any],
) -> tuple[dict[str, int], list[Note]]:
    """Stem -> number of the list it must stay in, for the lists *names*."""
    known, notes = set(stems), []
    fixed: dict[str, int] = {}
    for name in names:
        if name not in lists and not old and name not in SPLITS:
            raise UsageError("bad-option", f"--keep {name}: only train, val or test can be kept")
        if name not in lists and len(names) < len(SPLITS):
            raise UsageError(
                "nothing-to-keep",
                f"there is no list {name}.txt in {place.root / LISTS}",
                "leave --keep out, or write the list",
            )
        for stem in lists.get(name, ()):
            if stem not in known:
                notes.append(
                    Note(
                        "no-mask-for-stem",
                        f"{name}.txt names {stem!r}, which the tree does not have; the line was"
                        " dropped",
                        stem,
                    )
                )
            elif fixed.setdefault(stem, SPLITS.index(name)) != SPLITS.index(name):
                raise TreeError(
                    "bad-list",
                    f"{stem!r} stands in two lists, {SPLITS[fixed[stem]]} and {name}",
                    "correct the lists, or split anew with --overwrite",
                )
    for stem, name in old.get("vanished", {}).items():
        if stem in known:
            fixed.setdefault(stem, SPLITS.index(name))
    return fixed, notes


@dataclass(frozen=True, slots=True)
class _Pixels:
    place: Tree

    def __call__(self, stem: str) -> tuple[str, dict[int, int]]:
        return stem, self.place.pixels(stem)


def _vectors(place: Tree, stems: Sequence[str], stratify: str, jobs: int) -> dict[str, list[int]]:
    """Stem -> pixels (or presence) of every class value that occurs; ignored pixels do not count."""
    counted: dict[str, Mapping[int, int]] = {}
    if place.manifest:
        counted = {record.stem: record.pixels for record in place.records()}
    else:
        for result in engine.run(_Pixels(place), stems, jobs=jobs):
            if isinstance(result, engine.Failure):
                raise TreeError(result.code, f"{result.path}: {result.reason}", result.hint)
            counted[result[0]] = result[1]
    values = sorted({value for pixels in counted.values() for value in pixels} - {255})
    return {
        stem: [
            (
                int(bool(counted[stem].get(value)))
                if stratify == "presence"
                else counted[stem].get(value, 0)
            )
            for value in values
        ]
        for stem in stems
    }


def _folds(
    stems: Sequence[str],
    groups: Mapping[str, str],
    count: int,
    rng: Random,
    vectors: Mapping[str, Sequence[int]] | None,
    lists: Mapping[str, Sequence[str]],
) -> tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]:
    """*count* folds over *stems*: each part is validation once.

    Old members, from *lists*, stay in their fold.
    """
    if not count:
        return ()
    if count < 2 or count > len({groups[stem] for stem in stems}):
        raise UsageError(
            "too-few-samples",
            f"{count} folds need at least 2 and at most as many as there are groups"
            f" ({len({groups[stem] for stem in stems})})",
            "give another --folds",
        )
    fixed = {
        stem: n for n in range(count) for stem in lists.get(f"fold{n}val", ()) if stem in set(stems)
    }
    parts = assign(stems, groups, cut(len(stems), (1,) * count), rng, fixed, vectors)
    return tuple((natural(set(stems) - set(part)), natural(part)) for part in parts)


def _remarks(
    place: Tree, lists: Mapping[str, Sequence[str]], shares: Ratio, described: bool
) -> list[Note]:
    """What a person should know of the lists: parts without samples, classes that a part lacks."""
    notes = [
        Note("empty-split", f"{name} is empty" + ("" if share else " (its share is 0)"))
        for name, share in zip(SPLITS, shares, strict=True)
        if not lists[name]
    ]
    classes = place.classes() if described else None
    if classes:
        present: dict[int, set[str]] = defaultdict(set)
        for record in place.records():
            for value in record.pixels:
                present[value].add(record.stem)
        for value, name in enumerate(classes.names):
            missing = [
                part for part in SPLITS if lists[part] and not present[value] & set(lists[part])
            ]
            if missing and len(present[value]) >= 3:
                notes.append(
                    Note(
                        "class-missing",
                        f"class {name} occurs in {len(present[value])} images but not in"
                        f" {', '.join(missing)}; --stratify presence spreads it",
                    )
                )
    return notes


def _write(place: Tree, made: Split) -> None:
    """The lists, then the split record."""
    lists = {name: made.lists[name] for name in (*SPLITS, "trainval")}
    for n, (train, val) in enumerate(made.folds):
        lists |= {f"fold{n}train": train, f"fold{n}val": val}
    for path in (place.root / LISTS).glob("fold*.txt"):
        if re.fullmatch(r"fold\d+(train|val)", path.stem) and path.stem not in lists:
            path.unlink()
    tree.guard_links(place.root)
    tree.write_lists(place.root, lists)
    if (described := place.manifest) is not None:
        write_atomic(place.root / MANIFEST, manifest.dump(described.with_split(made.record)))
