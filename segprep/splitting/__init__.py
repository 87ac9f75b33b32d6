"""Seeded, exact, sticky splits: train/val/test lists and folds, by sample or by group, optionally
stratified.

The same seed gives the same lists on every machine and for every order of the directory listing.
"""

import os
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from segprep.cards import card
from segprep.dataset import tree
from segprep.dataset.lists import finish_split, write_split
from segprep.dataset.plausibility import tree_doubts
from segprep.dataset.record_columns import RecordColumns
from segprep.dataset.staging import lock
from segprep.dataset.tree import LISTS, SPLITS, Tree
from segprep.errors import SegprepError, TreeError, UsageError
from segprep.names import unsharded
from segprep.splitting.draw import Draw, SplitOptions
from segprep.splitting.partition import cut, natural
from segprep.splitting.ratio import parse_ratio
from segprep.splitting.remarks import remarks
from segprep.splitting.together import equal_notes
from segprep.types import Note

__all__ = ["Split", "cut", "parse_ratio", "split"]
Lists = Mapping[str, Sequence[str]]


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

    def _repr_html_(self) -> str:
        total = sum(self.counts.values()) or 1
        rows = [(name, count, f"{count / total:.1%}") for name, count in self.counts.items()]
        facts = {"samples": total, "folds": len(self.folds) or "", "seed": self.record.get("seed")}
        columns = ("list", "samples", "share")
        remarks = [note.message for note in self.notes]
        title = f"Split of {self.root.name}"
        return card(title, facts, columns=columns, rows=rows, texts=1, remarks=remarks)


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
    equal: Literal["together", "free"] | None = None,
    overwrite: bool = False,
    dry_run: bool = False,
    jobs: int = 1,
) -> Split:
    """Split *dataset* and write ImageSets/Segmentation/{train,val,test,trainval}.txt and the split
    record.

    *ratio* is train/val/test, 70/20/10 by default, *seed* 0. *group_by* is a regular expression
    (its first group, or the whole match, names the group of a stem), a CSV file of stem,group,
    "near-duplicates" (images that look alike) or "numbering" (film_001, film_002).
    Samples whose images are equal byte for byte stay in one list, unless *equal* is "free". *keep*
    names lists that stay as they are. *update* leaves every sample where it is and places only new
    ones; options that it is not given come from the split record.

    Raises UsageError, TreeError (lists exist and neither *update* nor *overwrite* is given),
    LockedError.
    """
    if ratio:
        parse_ratio(ratio)
    home = tree.find_to_split(Path(dataset))
    resumed = False if dry_run else _finish(home.root)
    described = home.manifest
    old = dict(described.split or {}) if described and update else {}
    lists = tree.read_lists(home.root)
    standing = [name for name in SPLITS if name in lists and name not in keep]
    begun = resumed or bool(described and not described.split)  # lists can be a killed run's
    _refuse_standing(home, standing, update=update, allowed=overwrite or begun)
    choice = SplitOptions.of(old, seed, ratio, group_by, stratify, folds, equal, keep)
    columns = RecordColumns.of(home)
    stems = home.stems() if columns is None else natural(columns.stems)
    if not stems:
        raise _empty(home)
    fixed, notes = _fixed(home, stems, lists, SPLITS if update else keep, old)
    recorded = None if columns is None else columns.digests
    draw = Draw(home, stems, choice, fixed, () if update else tuple(keep), jobs, recorded)
    result, apart = draw.lists()
    _guard_kept(result, keep, fixed)
    if begun and any(lists[name] != result[name] for name in standing):
        _refuse_standing(home, standing, update=update, allowed=overwrite)
    pairs = draw.folds(result["trainval"], lists if update else {})
    notes += [
        *draw.group_notes,
        *equal_notes(draw.equal, apart),
        *remarks(home, result, draw.shares, columns),
    ]
    notes += tree_doubts(home, jobs=jobs, pixels=columns.pixels if columns else None)
    record = choice.record({name: len(result[name]) for name in SPLITS})
    outcome = Split(result, pairs, record, tuple(notes), home.root)
    if not dry_run and not (resumed and described and described.split == record):
        with lock(home.root):
            _write(home, outcome)
    return outcome


def _finish(root: Path) -> bool:
    """Whether an earlier run was killed while it wrote its lists; they are finished first."""
    if not os.path.lexists(root / tree.PENDING_SPLIT):
        return False
    with lock(root):
        return finish_split(root)


def _empty(home: Tree) -> SegprepError:
    return SegprepError("too-few-samples", f"{home.root} has no samples", "convert some first")


def _guard_kept(result: Lists, keep: Sequence[str], fixed: Container[str]) -> None:
    """Raise UsageError where a group would add samples to a list that is kept."""
    for name in keep:
        if more := [stem for stem in result[name] if stem not in fixed]:
            raise UsageError(
                "bad-group",
                f"{more[0]!r} belongs to a group of the kept list {name}, which would grow",
                "add it to the list, or group otherwise",
            )


def _refuse_standing(home: Tree, standing: Sequence[str], *, update: bool, allowed: bool) -> None:
    """Raise TreeError where lists would be replaced unasked, UsageError where there are none to
    update.
    """
    if standing and not (update or allowed):
        raise TreeError(
            "lists-exist",
            f"{home.root} is already split ({', '.join(standing)})",
            "add new samples with --update, or split again with --overwrite (lists named with"
            " --keep stay)",
        )
    if update and not standing:
        raise UsageError(
            "nothing-to-keep",
            f"{home.root} has no lists to update",
            "split it first, without --update",
        )


def _fixed(
    home: Tree,
    stems: Sequence[str],
    lists: Mapping[str, Sequence[str]],
    names: Sequence[str],
    old: Mapping[str, Any],
) -> tuple[dict[str, int], list[Note]]:
    """Stem -> number of the list it must stay in, for the lists *names*."""
    present = set(stems)
    notes = list[Note]()
    fixed: dict[str, int] = {}
    for name in names:
        if name not in lists and not old and name not in SPLITS:
            raise UsageError("bad-option", f"--keep {name}: only train, val or test can be kept")
        if name not in lists and len(names) < len(SPLITS):
            raise UsageError(
                "nothing-to-keep",
                f"there is no list {name}.txt in {home.root / LISTS}",
                "leave --keep out, or write the list",
            )
        for stem in lists.get(name, ()):
            if stem not in present:
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
                    f"{stem!r} is in two lists, {SPLITS[fixed[stem]]} and {name}",
                    "correct the lists, or split again with --overwrite",
                )
    vanished = {unsharded(stem): name for stem, name in old.get("vanished", {}).items()}
    for stem in stems if vanished else ():  # one that is back may be in another shard
        if unsharded(stem) in vanished:
            fixed.setdefault(stem, SPLITS.index(vanished[unsharded(stem)]))
    return fixed, notes


def _write(home: Tree, outcome: Split) -> None:
    """The lists together with the split record."""
    lists = {name: outcome.lists[name] for name in (*SPLITS, "trainval")}
    for n, (train, val) in enumerate(outcome.folds):
        lists |= {f"fold{n}train": train, f"fold{n}val": val}
    write_split(home.root, lists, outcome.record)
