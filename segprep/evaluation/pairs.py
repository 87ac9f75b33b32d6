"""Which prediction belongs to which truth: by stem, never by position; what is missing and what is
extra is named.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from os.path import splitext
from pathlib import Path
from sys import intern
from typing import Literal, overload

from segprep.dataset.tree import read_list
from segprep.errors import SegprepError, SourceError, UsageError
from segprep.evaluation.label_maps import LOSSLESS
from segprep.files import listing

LOSSY = (".jpg", ".jpeg", ".webp")
Missing = Literal["error", "skip"]


@dataclass(frozen=True, slots=True)
class Folder:
    """The label maps below *root* (resolved): stem (with sub-folders, by slashes) -> extension.

    *lossy*: stems that only a JPEG or WebP has.
    """

    root: Path
    suffixes: Mapping[str, str]
    lossy: tuple[str, ...] = ()

    def path(self, stem: str) -> Path:
        """Where the label map of *stem* lies."""
        return self.root / f"{stem}{self.suffixes[stem]}"


def folder(root: Path, what: str) -> Folder:
    """All label maps below *root*; *what* is it, for messages.

    Raises UsageError without such a folder, SourceError where two files have one stem.
    """
    if not root.is_dir():
        raise UsageError(
            "bad-option", f"{root}: there is no such folder of {what}", "give an existing folder"
        )
    place = root.resolve()
    found: dict[str, str] = {}
    lossy = []
    for parent, name in listing(str(place)):
        below = parent[len(str(place)) :].strip("/\\").replace("\\", "/")
        stem, suffix = splitext(f"{below}/{name}" if below else name)
        if suffix.lower() in LOSSY:
            lossy.append(stem)
        elif suffix.lower() in LOSSLESS:
            if stem in found:
                raise SourceError(
                    place / f"{stem}{suffix}",
                    f"and {stem}{found[stem]} have one stem",
                    "keep one of them",
                    "stem-collision",
                )
            found[stem] = intern(suffix)
    return Folder(place, found, tuple(stem for stem in lossy if stem not in found))


@dataclass(frozen=True, slots=True)
class Pair:
    """One image to score: the truth, and one or two predictions of it; of its objects the truth and
    the prediction, where they are scored, too.
    """

    stem: str
    truth: Path
    preds: tuple[Path, ...]
    objects: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Pairs(Sequence[Pair]):
    """The pairs of *stems*, each made when it is asked for: paths of a hundred thousand images
    would take more memory than the counting.
    """

    stems: Sequence[str]
    truth: Folder
    preds: tuple[Folder, ...]
    objects: tuple[Folder, ...] = ()

    def __len__(self) -> int:
        return len(self.stems)

    @overload
    def __getitem__(self, at: int) -> Pair: ...
    @overload
    def __getitem__(self, at: slice) -> "list[Pair]": ...
    def __getitem__(self, at: int | slice) -> "Pair | list[Pair]":
        if isinstance(at, slice):
            return [self._pair(stem) for stem in self.stems[at]]
        return self._pair(self.stems[at])

    def _pair(self, stem: str) -> Pair:
        return Pair(
            stem,
            self.truth.path(stem),
            tuple(one.path(stem) for one in self.preds),
            tuple(one.path(stem) for one in self.objects),
        )


@dataclass(frozen=True, slots=True)
class Matched:
    """The pairs, the stems without prediction that were left out, and the predictions without
    truth.
    """

    pairs: Pairs
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
) -> Matched:
    """Pair by stem: those of the list *stems*, named *source*, or else every truth. *lists* of the
    dataset are for the hint.

    Raises SegprepError for a missing prediction unless *missing* is "skip".
    """
    needed = (*preds, *objects)
    wanted = (
        list(dict.fromkeys(stems)) if stems is not None else sorted(truth.suffixes, key=_padded)
    )
    if not wanted:
        raise SegprepError(
            "no-pairs",
            f"{truth.root if stems is None else source}: there is nothing to score",
            "give a folder of label maps, or another list",
        )
    if unknown := [stem for stem in wanted if stem not in truth.suffixes]:
        raise SegprepError(
            "no-mask-for-stem",
            f"{source} names {few(unknown)}, without truth in {truth.root}",
            "correct the list, or give the right --truth",
        )
    absent = [stem for stem in wanted if any(stem not in one.suffixes for one in needed)]
    if len(absent) == len(wanted):
        raise _nothing_in_common(
            truth, min(needed, key=lambda one: sum(stem in one.suffixes for stem in wanted))
        )
    if absent and missing == "error":
        where = next(one for one in needed if absent[0] not in one.suffixes)
        lossy = (
            " (a JPEG is there, but JPEG changes ids: write PNG)"
            if absent[0] in where.lossy
            else ""
        )
        what = "prediction" if where in preds else "instance mask"
        covered = next(
            (
                name
                for name, listed in (lists or {}).items()
                if listed and all(stem in one.suffixes for stem in listed for one in needed)
            ),
            None,
        )
        split = (
            f"score the list {covered}, which is whole, with --split {covered}"
            if covered
            else "name those to score with --list FILE or --split"
        )
        raise SegprepError(
            "prediction-missing", f"{len(absent)} of {len(wanted)} truth masks have no {what} in {where.root}: {few(absent)}{lossy}",
            f"{split}; or predict them too, or leave them out with --missing skip",
        )  # fmt: skip
    gone = set(absent)
    extra = sorted((stem for stem in preds[0].suffixes if stem not in truth.suffixes), key=_padded)
    return Matched(
        Pairs([stem for stem in wanted if stem not in gone], truth, preds, objects),
        tuple(absent),
        tuple(extra),
    )


def _padded(stem: str) -> str:
    """Natural order as one string: the key of ``names.natural_key`` takes 500 bytes, and there may
    be many stems.
    """
    return re.sub(r"\d+", lambda found: found[0].zfill(18), stem.casefold())


def _nothing_in_common(truth: Folder, pred: Folder) -> SegprepError:
    mine, theirs = sorted(truth.suffixes)[:3], sorted(pred.suffixes)[:3]
    hint = "name each prediction like its truth"
    if not theirs and pred.lossy:
        hint = "predictions are JPEG files, which change class ids; write PNG"
    elif not theirs:
        hint = f"that folder holds no label maps ({', '.join(LOSSLESS)})"
    elif tail := next(
        (
            other[len(stem) :]
            for stem in truth.suffixes
            for other in theirs
            if other.startswith(stem) and other != stem
        ),
        "",
    ):
        hint = f"the predictions' names end in {tail!r}; rename them without it"
    return SegprepError(
        "no-pairs",
        f"truth in {truth.root} ({few(mine)}) and predictions in {pred.root}"
        f" ({few(theirs) or 'none'}) have no stem in common",
        hint,
    )


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
