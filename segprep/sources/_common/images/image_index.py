"""All pictures below the roots, found by the name that an annotation file gives them: COCO's
file_name may begin at any folder.
"""

import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path, PureWindowsPath

from segprep.errors import SourceError
from segprep.files import listing, mark_below
from segprep.imaging.image import SUFFIXES
from segprep.names import natural_key, shown, stem_key, stem_of
from segprep.sources._common.pairing.folder_names import MASKS, split_of, words
from segprep.sources._common.texts.named_paths import escapes, is_file_name
from segprep.types import Note

ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".rar", ".7z")
Entry = tuple[str, str]  # folder and name


@dataclass(slots=True)
class ImageIndex:
    """Picture files by name key as (folder, name); *taken* are those that were asked for, *masks*
    those that belong to annotations; *archive* is a packed file that may hold more, "" if none.
    """

    roots: tuple[Path, ...]
    files: dict[str, list[Entry]] = field(default_factory=lambda: defaultdict(list))
    taken: set[Entry] = field(default_factory=set)
    masks: set[Entry] = field(default_factory=set)
    copies: list[list[Path]] = field(default_factory=list)
    beside_masks: list[tuple[Path, Path]] = field(default_factory=list)
    weighed: list[tuple[Path, Path]] = field(default_factory=list)
    nearer: list[tuple[Path, Path]] = field(default_factory=list)
    archive: str = ""

    @classmethod
    def below(cls, roots: tuple[Path, ...]) -> "ImageIndex":
        """Everything in *roots* with the extension of a picture."""
        index = cls(roots)
        for folder, name in dict.fromkeys(chain.from_iterable(map(listing, map(str, roots)))):
            if os.path.splitext(name)[1].lower() in SUFFIXES:
                index.files[stem_key(name)].append((folder, name))
            elif not index.archive and name.lower().endswith(ARCHIVES):
                index.archive = os.path.join(folder, name)
        return index

    def find(
        self,
        named: str,
        beside: Path,
        near: Sequence[str] = (),
        never: str = "",
        file_size: int = 0,
    ) -> tuple[Path, bool]:
        """What :meth:`entry` finds, as a path."""
        match, exact = self.entry(named, beside, near, never, file_size)
        return Path(*match), exact

    def entry(
        self,
        named: str,
        beside: Path,
        near: Sequence[str] = (),
        never: str = "",
        file_size: int = 0,
    ) -> tuple[Entry, bool]:
        """The picture that *named* means in an annotation file in the folder *beside*, and whether
        it is exactly there (folders included).

        Of several with its file name those count that have *file_size* bytes, where any has; then
        the one wins that has most of its folders, then one in a folder whose name has the words
        *near* (train, 2017), then one below a further root, which a person named, then the one in
        the annotation file's own folder of several alike, then the first of several copies. The
        folder *never* is skipped. Raises SourceError: none or several, or a URL.
        """
        alone = self.files.get(stem_key(named), ()) if is_file_name(named) else ()
        if len(alone) == 1 and alone[0][0] != never:  # as nearly always
            self.taken.add(alone[0])
            return alone[0], True
        parts = _parts(named)
        listed = self.files.get(stem_key(parts[-1]) if parts else "", ())
        places: Sequence[Entry] = listed
        if never:
            places = [entry for entry in listed if entry[0] != never]
        if "://" in named or not places:
            raise self._absent(named, beside)
        others: Sequence[Entry] = ()
        if file_size and len(places) > 1:
            exact, alike = self._exact(named, beside, places), self._of_size(places, file_size)
            if exact not in alike:
                others = [exact] if exact else [entry for entry in places if entry not in alike]
            places = alike
        match = self._exact(named, beside, places) or (
            places[0] if len(places) == 1 else self._likeliest(named, beside, [*places], near)
        )
        if others:
            self.weighed.append((Path(*match), Path(*others[0])))
        self.taken.add(match)
        return match, len(parts) == 1 or _common(Path(*match).parts, parts) == len(parts)

    def _exact(self, named: str, beside: Path, places: Iterable[Entry]) -> Entry | None:
        """That of *places* where *named* leads from *beside* or a root."""
        if "\0" in named:
            return None
        for folder in (beside, *self.roots):
            if is_file_name(named):  # as nearly always
                home, name = str(folder).rstrip(os.sep), named
            else:
                home, _, name = os.path.normpath(os.path.join(folder, named)).rpartition(os.sep)
            for entry in places:
                if entry[1] == name and entry[0].rstrip(os.sep) == home:
                    return entry
        return None

    def _of_size(self, places: Sequence[Entry], file_size: int) -> Sequence[Entry]:
        """Those of *places* that have *file_size* bytes; all of them where none has."""
        paths = [Path(*entry) for entry in places]
        alike = [path for path in paths if bytes_of(path) == file_size]
        return [(str(path.parent), path.name) for path in alike] or places

    def _likeliest(
        self, named: str, beside: Path, places: list[Entry], near: Sequence[str]
    ) -> Entry:
        """The one of several *places* that *named* means. Raises SourceError."""
        parts = _parts(named)
        places = _most(places, [_common(Path(*entry).parts, parts) for entry in places])
        places = _most(places, [entry[1] == parts[-1] for entry in places])
        alike = [set(words(" ".join(Path(entry[0]).parts[-2:]))) & set(near) for entry in places]
        places = _most(places, list(map(len, alike)))
        images = self.likely([Path(*entry) for entry in places])
        picture = self.only(self.nearest(images, beside))
        if picture is None:
            listed = ", ".join(os.path.join(*entry) for entry in places[:4])
            reason = f"{shown(named)!r} may be any of {len(places)} files: {listed}"
            hint = "keep one of them below SRC, or name one folder with --image-root"
            raise SourceError(beside, reason, hint, "image-ambiguous")
        return str(picture.parent), picture.name

    def likely(self, paths: list[Path]) -> list[Path]:
        """Of *paths*, if there are several, those below a further root, which a person named; then
        those in no folder that is called one of masks.
        """
        named = [path for path in paths if self.is_named(path.parent)] or paths
        images = [path for path in named if not set(words(path.parent.name)) & MASKS]
        if images and len(images) < len(named):
            mask = next(path for path in named if path not in images)
            self.beside_masks.append((images[0], mask))
        return images or named

    def nearest(self, paths: list[Path], beside: Path) -> list[Path]:
        """Of *paths* that differ by one folder alone (v1/images/a.jpg, v2/images/a.jpg) the one in
        the folder that holds *beside* (v1/annotations), if it is one.
        """
        home = Path(os.path.commonpath(paths)) if len(paths) > 1 else beside
        rest = [path.relative_to(home).parts for path in paths if path.is_relative_to(home)]
        if len(rest) < 2 or len({parts[1:] for parts in rest}) > 1:
            return paths
        inside = [home.joinpath(*p) for p in rest if beside.is_relative_to(home / p[0])]
        if len(inside) != 1:
            return paths
        self.nearer.append((inside[0], next(path for path in paths if path != inside[0])))
        return inside

    def only(self, paths: Sequence[Path]) -> Path | None:
        """The picture that *paths* (at least one) are: the first in natural order, if the others
        are copies of it, byte for byte, and none stands for another list; None if they are not. One
        in a folder that stands for a list comes first.
        """
        if len(paths) == 1:
            return paths[0]
        lists = {path: self._split_of(path) for path in paths}
        if len({*lists.values()} - {""}) > 1:
            return None
        ordered = sorted(paths, key=lambda path: [natural_key(part) for part in path.parts])
        ordered.sort(key=lambda path: not lists[path])
        try:
            if len({path.stat().st_size for path in paths}) > 1:
                return None
            if len({mark_below(path, self.roots) for path in paths}) > 1:
                return None
        except (OSError, SourceError):  # whoever reads the file says what is wrong with it
            return None
        self.copies.append(ordered)
        return ordered[0]

    def _split_of(self, path: Path) -> str:
        root = next(root for root in self.roots if path.is_relative_to(root))
        return split_of(str(path.parent.relative_to(root)))

    def notes(self) -> list[Note]:
        """Which images lie in the source several times, or have the name of a mask."""
        told = []
        for code, why, chosen in (
            ("image-copies", "have the name of a mask", self.beside_masks),
            (
                "image-chosen",
                "were identified by their size in bytes among others of the same name",
                self.weighed,
            ),
            ("image-chosen", "are nearer than others of the same name", self.nearer),
        ):
            if chosen:
                image, other = chosen[0]
                reason = f"{len(chosen)} images {why}: {image} was used, not {other}"
                told.append(Note(code, reason))
        if not self.copies:
            return told
        first, *others = self.copies[0]
        reason = (
            f"{len(self.copies)} images are in the source several times, byte for byte the same:"
            f" {first} was used, not {', '.join(map(str, others[:3]))}"
        )
        return [*told, Note("image-copies", reason)]

    def is_named(self, folder: Path) -> bool:
        """Whether *folder* lies in a root that a person named beside the source."""
        return any(folder.is_relative_to(root) for root in self.roots[1:])

    def left_over(self, folders: Iterable[str] = ()) -> int:
        """How many pictures nobody asked for in the folders of those that were, masks aside."""
        there = {folder for folder, _ in self.taken} - set(folders)
        used = self.taken | self.masks
        every = (entry for places in self.files.values() for entry in places)
        return sum(entry[0] in there and entry not in used for entry in every)

    def _absent(self, named: str, beside: Path) -> SourceError:
        if "://" in named:
            return SourceError(
                beside,
                f"{shown(named)!r} is a URL; nothing is downloaded",
                "put the images into SRC, and set plain names",
                "path-outside-root",
            )
        if escapes(named, beside, self.roots):
            reason = (
                f"{shown(named)!r} lies outside the source folder and is not opened; no file inside"
                " has its name"
            )
            return SourceError(
                beside, reason, "name the images' folder with --image-root", "path-outside-root"
            )
        hint = "name the images' folder with --image-root"
        if self.archive:
            hint = f"unpack {shown(self.archive)} if it holds the images, or {hint}"
        reason = f"no file {shown(named)!r} is in the source folder"
        if twin := self._of_stem(named):
            reason += f", but {shown(twin)}"
            hint = f"set its name in the file, if {shown(twin)} is the picture; or {hint}"
        return SourceError(beside, reason, hint, "image-missing")

    def _of_stem(self, named: str) -> str:
        """The name of a picture that is called *named* but for the extension; "" if none is."""
        stem = stem_of(parts[-1]) if (parts := _parts(named)) else ""
        twins = (self.files.get(stem_key(stem + suffix)) for suffix in SUFFIXES if stem)
        return next((places[0][1] for places in twins if places), "")


def as_named(paths: Sequence[Path], named: str) -> list[Path]:
    """Those of *paths* that have most of the last folders of *named*; of these, those that are
    called just as it is, if any is.
    """
    parts = _parts(named)
    shared = [_common((*path.parts[:-1], ""), (*parts[:-1], "")) for path in paths]
    alike = [path for path, count in zip(paths, shared, strict=True) if count == max(shared)]
    return [path for path in alike if path.name in parts[-1:]] or alike


def bytes_of(path: Path) -> int:
    """The size of the file *path* in bytes; 0 if it cannot be looked at."""
    try:
        return path.stat().st_size
    except OSError:  # whoever reads the file says what is wrong with it
        return 0


def _parts(named: str) -> list[str]:
    """The folders and the file name of a path with either kind of slash, without its drive."""
    if "\\" not in named and ":" not in named:
        return [part for part in named.split("/") if part not in ("", "..", ".")]
    pure = PureWindowsPath(named)
    return [part for part in pure.parts if part not in (pure.anchor, "..", ".")]


def _most(places: list[Entry], scores: Sequence[int]) -> list[Entry]:
    best = max(scores)
    return [entry for entry, score in zip(places, scores, strict=True) if score == best]


def _common(path: Sequence[str], named: Sequence[str]) -> int:
    """How many last parts of *path* are those of *named*; the file name counts as one whatever its
    case.
    """
    count = 1
    while count < min(len(path), len(named)) and path[-1 - count] == named[-1 - count]:
        count += 1
    return count
