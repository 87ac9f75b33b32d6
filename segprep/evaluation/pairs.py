"""Which prediction belongs to which truth: by stem, never by position; what is missing and what is
extra is named.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from os.path import splitext
from pathlib import Path
from shlex import quote
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

    *lossy*: stems that only a JPEG or WebP has. *own*: stem -> the file's own name without its
    extension, where that differs.
    """

    root: Path
    suffixes: Mapping[str, str]
    lossy: tuple[str, ...] = ()
    own: Mapping[str, str] = field(default_factory=dict)

    def path(self, stem: str) -> Path:
        """Where the label map of *stem* lies."""
        return self.root / f"{self.own.get(stem, stem)}{self.suffixes[stem]}"

    def renamed(self, stems: Mapping[str, str]) -> "Folder":
        """The same files under other stems: *stems* maps new to present ones."""
        own = {new: self.own.get(stem, stem) for new, stem in stems.items()}
        return Folder(
            self.root, {new: self.suffixes[stem] for new, stem in stems.items()}, self.lossy, own
        )


def folder(root: Path, what: str, *, prefix: str = "", suffix: str = "") -> Folder:
    """All label maps below *root*; *what* is it, for messages. With *prefix* and *suffix*, only
    files whose names begin and end so (before the extension); the stem is what is between.

    Raises UsageError without such a folder, SourceError where two files have one stem.
    """
    if not root.is_dir():
        raise UsageError(
            "bad-option", f"{root}: there is no such folder of {what}", "give an existing folder"
        )
    home = root.resolve()
    suffixes: dict[str, str] = {}
    own: dict[str, str] = {}
    lossy = []
    for parent, name in listing(str(home)):
        below = parent[len(str(home)) :].strip("/\\").replace("\\", "/")
        file_stem, extension = splitext(name)
        if not _between(file_stem, prefix, suffix):
            continue
        stem = file_stem[len(prefix) : len(file_stem) - len(suffix)]
        stem = f"{below}/{stem}" if below else stem
        if extension.lower() in LOSSY:
            lossy.append(stem)
        elif extension.lower() in LOSSLESS:
            if stem in suffixes:
                raise SourceError(
                    home / f"{stem}{extension}",
                    f"and {stem}{suffixes[stem]} have one stem",
                    "keep one of them",
                    "stem-collision",
                )
            suffixes[stem] = intern(extension)
            if prefix or suffix:
                own[stem] = f"{below}/{file_stem}" if below else file_stem
    only_lossy = tuple(stem for stem in lossy if stem not in suffixes)
    return Folder(home, suffixes, only_lossy, own)


def _between(name: str, prefix: str, suffix: str) -> bool:
    fits = name.startswith(prefix) and name.endswith(suffix)
    return fits and len(name) > len(prefix) + len(suffix)


def flattened(truth: Folder, pred: Folder) -> Folder:
    """*pred* with the stems of *truth* where the two have none in common but by their names alone:
    one of them has folders (``city/a``) and the other has not.

    A name that occurs twice on either side pairs with nothing.
    """
    if truth.suffixes.keys() & pred.suffixes.keys():
        return pred
    names, theirs = _by_name(truth), _by_name(pred)
    stems = {names[name]: theirs[name] for name in names.keys() & theirs.keys()}
    return pred.renamed(stems) if stems else pred


def _by_name(side: Folder) -> dict[str, str]:
    """The last part of each stem -> the stem, where no other has it."""
    names: dict[str, list[str]] = {}
    for stem in side.suffixes:
        names.setdefault(stem.rpartition("/")[2], []).append(stem)
    return {name: stems[0] for name, stems in names.items() if len(stems) == 1}


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
class MaskPairs(Sequence[MaskPair]):
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
    def __getitem__(self, at: int) -> MaskPair: ...
    @overload
    def __getitem__(self, at: slice) -> "list[MaskPair]": ...
    def __getitem__(self, at: int | slice) -> "MaskPair | list[MaskPair]":
        if isinstance(at, slice):
            return [self._pair(stem) for stem in self.stems[at]]
        return self._pair(self.stems[at])

    def _pair(self, stem: str) -> MaskPair:
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
    chosen = (
        list(dict.fromkeys(stems)) if stems is not None else sorted(truth.suffixes, key=_padded)
    )
    if not chosen:
        raise SegprepError(
            "no-pairs",
            f"{truth.root if stems is None else source}: there is nothing to score",
            "give a folder of label maps, or another list",
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
    extra = sorted((stem for stem in preds[0].suffixes if stem not in truth.suffixes), key=_padded)
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
        f"score the list {covered}, which is whole, with --split {covered}"
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


def _padded(stem: str) -> str:
    """Natural order as one string: the key of ``names.natural_key`` takes 500 bytes, and there may
    be many stems.
    """
    return re.sub(r"\d+", lambda digits: digits[0].zfill(18), stem.casefold())


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
        hint = f"the predictions' names end in {tail!r}: give --suffix {quote(tail)}"
    elif head := next(
        (
            other[: len(other) - len(stem)]
            for stem in truth.suffixes
            for other in theirs
            if other.endswith(stem) and other != stem
        ),
        "",
    ):
        hint = f"the predictions' names begin with {head!r}: give --prefix {quote(head)}"
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
