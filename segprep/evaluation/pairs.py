"""Which prediction belongs to which truth: by stem, never by position; what is missing and what is
extra is named.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Literal

from segprep.dataset.tree import read_list
from segprep.errors import SegprepError, UsageError
from segprep.evaluation.folders import Folder
from segprep.evaluation.label_maps import LOSSLESS
from segprep.names import natural_key, natural_order
from segprep.packed import LazySequence

Missing = Literal["error", "skip"]
_TRIED = 3  # names that are searched for stems of the other side


@dataclass(frozen=True, slots=True)
class MaskPair:
    """One image to score: the truth, and one or two predictions of it; of its objects the truth and
    the prediction, where they are scored, too.
    """

    stem: str
    truth: Path
    preds: tuple[Path, ...]
    objects: tuple[Path, ...] = ()


@dataclass(frozen=True)
class MaskPairs(LazySequence[MaskPair]):
    """The pairs of *stems*, each made when it is asked for: paths of a hundred thousand images
    would take more memory than the counting.
    """

    stems: Sequence[str]
    truth: Folder
    preds: tuple[Folder, ...]
    objects: tuple[Folder, ...] = ()

    def __len__(self) -> int:
        return len(self.stems)

    def cut(self, start: int, stop: int) -> "MaskPairs":
        """The pairs from *start* to *stop*, or the end: names alone are sent away, not paths."""
        stems = self.stems[start:stop]
        preds, objects = (
            tuple(side.only(stems) for side in sides) for sides in (self.preds, self.objects)
        )
        return MaskPairs(stems, self.truth.only(stems), preds, objects)

    def _value(self, number: int) -> MaskPair:
        stem = self.stems[number]
        return MaskPair(
            stem,
            self.truth.path(stem),
            tuple(side.path(stem) for side in self.preds),
            tuple(side.path(stem) for side in self.objects),
        )


@dataclass(frozen=True, slots=True)
class MatchedMasks:
    """The pairs, the stems without prediction that were skipped, and the predictions without
    truth.
    """

    pairs: MaskPairs
    missing: tuple[str, ...]
    extra: tuple[str, ...]


Lists = Mapping[str, Sequence[str]]


def match(
    truth: Folder,
    preds: tuple[Folder, ...],
    stems: Iterable[str] | None,
    missing: Missing,
    source: str,
    objects: tuple[Folder, ...] = (),
    lists: Lists | None = None,
) -> MatchedMasks:
    """Pair by stem: those of the list *stems*, named *source*, or else every truth. *lists* of the
    dataset are for the hint.

    Raises SegprepError for a missing prediction unless *missing* is "skip".
    """
    needed = (*preds, *objects)
    chosen = list(dict.fromkeys(stems)) if stems is not None else natural_order(truth.suffixes)
    if not chosen:
        hint = "give a folder of label maps, or another list"
        if stems is None and truth.lossy:
            hint = (
                f"the {len(truth.lossy)} truth masks are JPEG files, which change class ids: make"
                " a dataset of them (segprep convert binary --help), or save PNG"
            )
        raise SegprepError(
            "no-pairs",
            f"{truth.root if stems is None else source}: there is nothing to score",
            hint,
        )
    if unknown := [stem for stem in chosen if stem not in truth.suffixes]:
        raise SegprepError(
            "no-mask-for-stem",
            f"{source} names {few(unknown)}, without truth in {truth.root}",
            "correct the list, or give the right --truth",
        )
    absent = [stem for stem in chosen if any(stem not in side.suffixes for side in needed)]
    if len(absent) == len(chosen):
        raise _nothing_in_common(
            truth, min(needed, key=lambda side: sum(stem in side.suffixes for stem in chosen))
        )
    if absent and missing == "error":
        raise _missing(absent, len(chosen), preds, needed, lists or {})
    gone = set(absent)
    extra = sorted(
        (stem for stem in preds[0].suffixes if stem not in truth.suffixes), key=natural_key
    )
    return MatchedMasks(
        MaskPairs([stem for stem in chosen if stem not in gone], truth, preds, objects),
        tuple(absent),
        tuple(extra),
    )


def _missing(
    absent: Sequence[str],
    count: int,
    preds: Sequence[Folder],
    needed: Sequence[Folder],
    lists: Lists,
) -> SegprepError:
    """The error for truth masks without a prediction; it names a list that is whole."""
    where = next(side for side in needed if absent[0] not in side.suffixes)
    lossy = (
        " (a JPEG is there, but JPEG changes ids: write PNG)" if absent[0] in where.lossy else ""
    )
    what = "prediction" if where in preds else "instance mask"
    covered = next(
        (
            name
            for name, stems in lists.items()
            if stems and all(stem in side.suffixes for stem in stems for side in needed)
        ),
        None,
    )
    split = (
        f"score the list {covered}, which is complete, with --split {covered}"
        if covered
        else "name those to score with --list FILE or --split"
    )
    return SegprepError(
        "prediction-missing",
        (
            f"{len(absent)} of {count} truth masks have no {what} in {where.root}:"
            f" {few(absent)}{lossy}"
        ),
        f"{split}; or predict them too, or skip them with --missing skip",
    )


def _nothing_in_common(truth: Folder, pred: Folder) -> SegprepError:
    mine, theirs = sorted(truth.suffixes)[:3], sorted(pred.suffixes)[:3]
    hint = "name each prediction like its truth"
    if not theirs and pred.lossy:
        hint = "predictions are JPEG files, which change class ids; write PNG"
    elif not theirs:
        hint = f"that folder holds no label maps ({', '.join(LOSSLESS)})"
    elif options := _around(truth, [pred.own.get(stem, stem) for stem in pred.suffixes]):
        hint = f"the predictions' names hold more than the truth's: give {options}"
    elif options := _around(
        pred, [truth.own.get(stem, stem) for stem in truth.suffixes], "--truth-"
    ):
        hint = f"the truth's names hold more than the predictions': give {options}"
    return SegprepError(
        "no-pairs",
        f"truth in {truth.root} ({few(mine)}) and predictions in {pred.root}"
        f" ({few(theirs) or 'none'}) have no stem in common",
        hint,
    )


def _around(side: Folder, names: Sequence[str], option: str = "--") -> str:
    """The options that say what the *names* of the other side have before and after those of
    *side*: those with which most of the names are found.
    """
    candidates = dict[tuple[str, str], None]()
    for name in names[:_TRIED]:
        for stem in side.suffixes:
            head, middle, tail = name.partition(stem)
            if middle and (head or tail):
                candidates[head, tail] = None

    def paired(ends: tuple[str, str]) -> int:
        head, tail = ends
        return sum(
            name.startswith(head)
            and name.endswith(tail)
            and name[len(head) : len(name) - len(tail)] in side.suffixes
            for name in names
        )

    if not candidates:
        return ""
    head, tail = max(candidates, key=paired)
    ends = (("prefix", head), ("suffix", tail))
    return " ".join(f"{option}{end} {quote(text)}" for end, text in ends if text)


def few(stems: Sequence[str], most: int = 5) -> str:
    """The first few names, and how many more."""
    return ", ".join(stems[:most]) + (f" and {len(stems) - most} more" if len(stems) > most else "")


def listed(path: Path) -> tuple[str, ...]:
    """The stems of a list file. Raises UsageError without one, TreeError if it cannot be read."""
    if not path.is_file():
        raise UsageError(
            "bad-option", f"{path}: there is no such list", "give a file with one stem per line"
        )
    return read_list(path)
