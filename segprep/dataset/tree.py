"""A VOC-style tree: where things lie, how a sample is written, and how any such tree (ours or not)
is listed and read.
"""

import os
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segprep.cards import card
from segprep.dataset import classes as class_lists
from segprep.dataset import manifest
from segprep.dataset.manifest import MANIFEST, RECORDS, Manifest
from segprep.errors import SourceError, TreeError, UsageError
from segprep.files import read_below, read_file, read_inside, walk
from segprep.names import natural_order, stem_of
from segprep.types import Classes, Record

if TYPE_CHECKING:
    from numpy.typing import NDArray

IMAGES, MASKS, OBJECTS, LISTS = (
    "JPEGImages",
    "SegmentationClass",
    "SegmentationObject",
    "ImageSets/Segmentation",
)
CLASS_NAMES, LABELMAP = "class_names.txt", "labelmap.txt"
STAGING, RUNS = ".segprep-incomplete", "runs"
IDENTITY, PUBLISHING, LOCK, PENDING_SPLIT = (
    "identity.json",
    "publishing",
    ".segprep.lock",
    ".segprep-split.json",
)
SPLITS = ("train", "val", "test")
LONGEST_TEXT = 64 << 20  # bytes of a list or a class list


@dataclass(frozen=True, slots=True)
class Tree:
    """A VOC-style tree at *root*; nothing is read before it is asked for."""

    root: Path

    @property
    def manifest(self) -> Manifest | None:
        """Its segprep.json, or None for a tree that segprep did not make.

        Raises TreeError if damaged.
        """
        return manifest.load(self.root / MANIFEST)

    def records(self) -> Iterator[Record]:
        """The records of a tree that has a manifest. Raises TreeError if they are damaged."""
        described = self.manifest
        expected = described.records if described else None
        return manifest.load_records(self.root / RECORDS, expected)

    def classes(self) -> Classes | None:
        """The class list: from the manifest, class_names.txt or labelmap.txt; None if there is none
        of them.
        """
        if (described := self.manifest) is not None:
            return described.classes
        for name in (CLASS_NAMES, LABELMAP):
            if (text := self.text(name)) is not None:
                names = class_lists.listed(text, self.root / name)
                return class_lists.make(names, add_background=False)
        return None

    def text(self, name: str) -> bytes | None:
        """The content of the tree's own file *name*, or None where there is none.

        Raises TreeError for a link that leads out of the tree, a pipe or a device.
        """
        try:
            return read_inside(self.root, name, LONGEST_TEXT)
        except SourceError as error:
            raise TreeError(
                error.code, f"{self.root / name}: {error.reason}", error.hint
            ) from error

    def stems(self) -> tuple[str, ...]:
        """Every sample that has a mask, in natural order."""
        if (self.root / MANIFEST).is_file():
            stems: Iterable[str] = (record.stem for record in self.records())
        else:
            masks = self.root / MASKS
            stems = (
                stem_of(str(path.relative_to(masks).as_posix()))
                for path in walk(masks)
                if path.suffix.lower() == ".png"
            )
        return tuple(natural_order(stems))

    def mask_path(self, stem: str) -> Path:
        """Where the mask of *stem* lies."""
        path = self.root / MASKS / f"{stem}.png"
        other = path.with_name(f"{path.stem}.PNG")
        return path if path.exists() or not other.exists() else other

    def image_path(self, stem: str) -> Path | None:
        """Where the image of *stem* lies, or None."""
        from segprep.imaging import image

        tries = (self.root / IMAGES / f"{stem}{suffix}" for suffix in image.SUFFIXES)
        return next((path for path in tries if os.path.isfile(path)), None)  # .jpeg may be too long

    def pixels(self, stem: str) -> dict[int, int]:
        """Pixel value -> count in the mask of *stem*. Raises SourceError if it cannot be read."""
        from segprep.imaging import image

        return image.histogram(self.mask(stem).astype("uint8"))

    def mask(self, stem: str) -> "NDArray[Any]":
        """The mask (H, W) of *stem* as stored. Raises SourceError if it cannot be read safely."""
        path, root = self.mask_path(stem), self.root.resolve()
        inner = path.relative_to(self.root)
        from segprep.imaging import image

        return image.decode_mask(read_below(root / inner, (root,)), path)

    def _repr_html_(self) -> str:
        classes = self.classes()
        rows = list(enumerate(classes.names)) if classes else []
        lists = {name: len(stems) for name, stems in self.lists().items()}
        facts = {"samples": len(self.stems()), **lists}
        return card(self.root.resolve().name, facts, columns=("id", "class"), rows=rows)

    def lists(self) -> dict[str, tuple[str, ...]]:
        """The lists in ImageSets/Segmentation by name, train, val, test and trainval first.

        Raises TreeError for text that is not UTF-8, and where segprep split the tree but train, val
        and test share samples by now, or one of them is gone.
        """
        lists, described = read_lists(self.root), self.manifest
        if described and described.split:
            _refuse_broken(self.root, lists, described.lists)
        return lists


def read_lists(root: Path, folder: str = LISTS) -> dict[str, tuple[str, ...]]:
    """The lists in *folder* of the tree *root* by name; train, val, test and trainval first.

    Raises TreeError.
    """
    first = (*SPLITS, "trainval")
    paths = sorted(
        list_paths(root, folder),
        key=lambda path: (first.index(path.stem) if path.stem in first else len(first), path.stem),
    )
    return {path.stem: read_list(path, root) for path in paths}


def list_paths(root: Path, folder: str = LISTS) -> list[Path]:
    """The list files in *folder* of the tree *root*; hidden ones are none."""
    return [path for path in (root / folder).glob("*.txt") if not path.name.startswith(".")]


def read_list(path: Path, root: Path | None = None) -> tuple[str, ...]:
    """The stems of a list file; blank lines are skipped. *root*: the tree that the file must lie
    in. Raises TreeError.
    """
    try:
        if root is None:
            data = read_file(path, LONGEST_TEXT)
        else:
            data = read_inside(root, path.relative_to(root).as_posix(), LONGEST_TEXT) or b""
        text = data.decode("utf-8-sig")
    except (SourceError, UnicodeDecodeError) as error:
        reason = error.reason if isinstance(error, SourceError) else str(error)
        raise TreeError(
            "bad-list", f"{path}: {reason}", "save it as UTF-8, one sample per line"
        ) from error
    return tuple(line.strip() for line in text.replace("\r\n", "\n").split("\n") if line.strip())


def _refuse_broken(
    root: Path, lists: Mapping[str, Sequence[str]], recorded: Mapping[str, str]
) -> None:
    """Raise TreeError where train, val or test was *recorded* and is gone, or two share one."""
    faults = [f"{name}.txt is gone" for name in SPLITS if name in recorded and name not in lists]
    home: dict[str, str] = {}
    for name in SPLITS:
        for stem in () if faults else lists.get(name, ()):
            if home.setdefault(stem, name) != name:
                faults = [f"{stem!r} is in {home[stem]}.txt and in {name}.txt"]
    if faults:
        hint = "correct the lists, or split again with segprep split --overwrite"
        raise TreeError("bad-list", f"{root / LISTS}: {faults[0]}", hint)


def is_tree(root: Path) -> bool:
    """Whether *root* looks like a VOC-style tree: a manifest, or a folder of class masks."""
    return (root / MANIFEST).is_file() or (root / MASKS).is_dir()


def find(folder: Path) -> Tree:
    """The tree at *folder*, else the one tree right below it; one with a manifest comes first.

    Raises TreeError, UsageError.
    """
    return finished(_root(folder))


def _root(folder: Path) -> Path:
    """The root of the tree at or right below *folder*. Raises UsageError."""
    if is_tree(folder):
        _refuse_arrays(folder)
        return folder
    try:
        below = sorted(
            path
            for path in folder.iterdir()
            if path.is_dir() and not path.name.startswith(".") and is_tree(path)
        )
    except OSError as error:
        raise UsageError(
            "no-tree", f"{folder} cannot be read: {error.strerror}", "give the dataset's folder"
        ) from error
    below = [path for path in below if (path / MANIFEST).is_file()] or below
    if len(below) > 1:
        raise UsageError(
            "two-trees",
            f"{folder} holds several datasets: {', '.join(path.name for path in below)}",
            "name one of them",
        )
    if not below:
        broken = (folder / STAGING).is_dir()
        hint = (
            "a conversion was not finished: re-run its command"
            if broken
            else "make one with segprep convert auto SRC OUT, or give the dataset's folder"
        )
        if (folder / f"{MASKS}PNG").is_dir():
            hint = f"convert it first: segprep convert voc {shlex.quote(str(folder))} OUT"
        raise UsageError(
            "no-tree", f"{folder} is not a VOC-style tree (no {MANIFEST}, no {MASKS})", hint
        )
    return below[0]


def finished(root: Path) -> Tree:
    """The tree at *root*. Raises TreeError while its publication or its split is unfinished."""
    staging = root / STAGING
    aside = (staging / "previous" / MANIFEST).exists() and not (root / MANIFEST).exists()
    if (staging / IDENTITY).exists() and (aside or (staging / PUBLISHING).exists()):
        raise TreeError(
            "unfinished-run",
            f"{root} is half published: a conversion was stopped while it moved files into place",
            "re-run the command that made the dataset; it resumes",
        )
    if os.path.lexists(root / PENDING_SPLIT):
        raise TreeError(
            "unfinished-run",
            f"{root} is half split: a run was stopped while it wrote the lists",
            "re-run the split command, or finish it with segprep split --update",
        )
    return Tree(root)


def find_to_split(folder: Path) -> Tree:
    """What :func:`find` finds, also where a split is unfinished: for the command that ends it."""
    try:
        return find(folder)
    except TreeError as error:
        root = _root(folder)
        if error.code != "unfinished-run" or not os.path.lexists(root / PENDING_SPLIT):
            raise
        return Tree(root)


def _refuse_arrays(root: Path) -> None:
    """Raise UsageError for a tree as labelme's labelme2voc.py writes it: arrays in MASKS, the PNG
    masks in a folder beside it.
    """
    beside = root / f"{MASKS}PNG"
    if (root / MANIFEST).is_file():
        return
    from segprep.imaging import image

    suffixes = {path.suffix.lower() for path in (root / MASKS).iterdir()}
    source = shlex.quote(str(root))
    if ".png" not in suffixes and beside.is_dir():
        raise UsageError(
            "no-tree",
            f"{root / MASKS} holds no PNG masks; they are in {beside.name}, as labelme2voc.py"
            " writes them",
            f"convert it first: segprep convert voc {source} OUT",
        )
    if suffixes & {".npy", ".npz"} and not suffixes & set(image.SUFFIXES):
        raise UsageError(
            "no-tree",
            f"{root / MASKS} holds arrays, no PNG masks",
            f"convert it first: segprep convert arrays {source} OUT",
        )
