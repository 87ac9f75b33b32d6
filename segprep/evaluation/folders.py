"""The label maps in a folder, by stem."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from os.path import splitext
from pathlib import Path
from sys import intern

from segprep.errors import SourceError, UsageError
from segprep.evaluation.label_maps import LOSSLESS
from segprep.files import listing
from segprep.types import Note

LOSSY = (".jpg", ".jpeg", ".webp")


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

    def only(self, stems: Iterable[str]) -> "Folder":
        """The label maps of *stems* alone, without a word on lossy ones."""
        suffixes = {stem: self.suffixes[stem] for stem in stems}
        own = {stem: self.own[stem] for stem in suffixes if stem in self.own} if self.own else {}
        return Folder(self.root, suffixes, own=own)

    def unread(self) -> tuple[Note, ...]:
        """A note on the *lossy* files, none if there is none."""
        if not self.lossy:
            return ()
        first = ", ".join(self.lossy[:3])
        message = f"{len(self.lossy)} JPEG or WebP files in {self.root} were not scored: {first}"
        return (Note("truth-unread", message),)

    def renamed(self, stems: Mapping[str, str]) -> "Folder":
        """The same files under other stems: *stems* maps new to present ones."""
        own = {new: self.own.get(stem, stem) for new, stem in stems.items()}
        return Folder(
            self.root, {new: self.suffixes[stem] for new, stem in stems.items()}, self.lossy, own
        )


def folder(root: Path, what: str, *, prefix: str = "", suffix: str = "") -> Folder:
    """All label maps below *root*; *what* is it, for messages. With *prefix* and *suffix*, only
    files whose names begin and end so (before the extension); the stem is what is between.

    Raises UsageError without such a folder, SourceError where two files have one stem or none has
    such a name.
    """
    if not root.is_dir():
        raise UsageError(
            "bad-option", f"{root}: there is no such folder of {what}", "give an existing folder"
        )
    home = root.resolve()
    suffixes: dict[str, str] = {}
    own: dict[str, str] = {}
    lossy, others = [], []
    for parent, name in listing(str(home)):
        below = parent[len(str(home)) :].strip("/\\").replace("\\", "/")
        file_stem, extension = splitext(name)
        if not _between(file_stem, prefix, suffix):
            others += [name] if extension.lower() in LOSSLESS else []
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
    if (prefix or suffix) and others and not suffixes:
        raise SourceError(
            home,
            f"no label map's name begins with {prefix!r} and ends in {suffix!r}: {others[0]}, ...",
            "correct prefix and suffix; the extension does not belong to them",
            "no-pairs",
        )
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
