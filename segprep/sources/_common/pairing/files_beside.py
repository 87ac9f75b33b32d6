"""Files that lie beside folders of images and masks: lists of classes and of colors."""

import os
import shlex
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from segprep.dataset import class_tables
from segprep.dataset.tree import LISTS
from segprep.errors import SegprepError, UsageError
from segprep.files import read_below
from segprep.imaging.image import SUFFIXES
from segprep.sources._common.classes import color_tables
from segprep.sources._common.classes.color_tables import ColorTable
from segprep.sources._common.pairing.folder_names import words
from segprep.sources._common.pairing.name_rules import Folders

_COLOR_TABLES = ("label_colors.txt", "class_dict.csv", "labelmap.txt", "dataset_meta.json")
_PERHAPS_TABLES = ("class.txt", "class.csv", "colors.txt", "colormap.txt", "colormap.csv")
READ_BESIDE = frozenset(
    (*_COLOR_TABLES, *_PERHAPS_TABLES, *class_tables.NAMES)
)  # what is read beside
_TEXTS = (".txt", ".csv")
_TABLE_WORDS = {
    *("color", "colors", "colour", "colours", "colormap", "palette", "legend"),  # codespell:ignore
    *("label", "labels", "class", "classes"),
}


def color_table(root: Path, pairs: Sequence[Folders]) -> Path | None:
    """The first color table that lies at *root*, above all folders of *pairs*, or with the lists
    there: a file named as one, a list of classes that has colors, or any table of colors whose
    name has a word such as color or label. Raises SourceError if it cannot be read, UsageError
    where tables of the last kind differ.
    """
    folders = [
        folder for home in homes(root, pairs) for folder in (home, home / LISTS) if folder.is_dir()
    ]
    if path := _first(folders, _COLOR_TABLES):
        read_below(path, (root,))
        return path
    for name in (*_PERHAPS_TABLES, *class_tables.NAMES):
        if (path := _first(folders, (name,))) and path.suffix in _TEXTS and _loaded(path, root):
            return path
    return _named_otherwise(folders, root)


def _named_otherwise(folders: Sequence[Path], root: Path) -> Path | None:
    """The color table among the text files of *folders* that are named as no tool names them."""
    tables: dict[ColorTable, Path] = {}
    for folder in folders:
        for name in sorted(entry.name for entry in os.scandir(folder) if entry.is_file()):
            path = folder / name
            if path.suffix.lower() in _TEXTS and _TABLE_WORDS & set(words(path.stem)):
                table = _loaded(path, root)
                if table and _is_plausible(table):
                    tables.setdefault(table, path)
    if len(tables) > 1:
        listed = ", ".join(path.relative_to(root).as_posix() for path in tables.values())
        raise UsageError(
            "bad-option",
            f"color tables differ: {listed}",
            f"choose one: --table {shlex.quote(str(next(iter(tables.values()))))}",
        )
    return next(iter(tables.values()), None)


def _is_plausible(table: ColorTable) -> bool:
    """Whether *table* is one of colors, not boxes of images: few rows, each of its own color."""
    colors = {color for color, _ in table.colors}
    files = any(name.lower().endswith(SUFFIXES) for name in table.classes.names)
    return 1 < len(colors) == len(table.colors) <= 256 and not files


def _loaded(path: Path, root: Path) -> ColorTable | None:
    """The color table *path*; None for names without colors."""
    read_below(path, (root,))
    with suppress(SegprepError):
        return color_tables.load(str(path))
    return None


def _first(folders: Sequence[Path], names: Sequence[str]) -> Path | None:
    paths = (folder / name for folder in folders for name in names)
    return next((path for path in paths if path.is_file()), None)


def class_file(root: Path, pairs: Sequence[Folders]) -> Path | None:
    """The first file that lists classes and lies at *root*, above all folders of *pairs*, or in
    each of them. Raises UsageError where those of several folders differ, SourceError.
    """
    inner = dict.fromkeys(folder for pair in pairs for folder in (pair.images, pair.masks))
    if path := _class_file(homes(root, pairs), root):
        return path
    paths = [path for folder in inner if (path := _class_file([folder], root))]
    contents = {read_below(path, (root,)) for path in paths}
    if len(contents) > 1:
        listed = ", ".join(path.relative_to(root).as_posix() for path in paths[:4])
        raise UsageError(
            "bad-classes",
            f"class lists differ: {listed}",
            f"choose one: --classes {shlex.quote(str(paths[0]))}",
        )
    return paths[0] if paths else None


def _class_file(folders: Sequence[Path], root: Path) -> Path | None:
    """The first class list in *folders*. JSON and YAML files of other contents are passed over."""
    for path in (folder / name for folder in folders for name in class_tables.NAMES):
        if not path.is_file():
            continue
        data = read_below(path, (root,))
        try:
            class_tables.read(path, data)
        except SegprepError:
            if path.suffix in (".json", ".yaml"):
                continue
            raise
        return path
    return None


def homes(root: Path, pairs: Sequence[Folders]) -> list[Path]:
    """*root*, and the folders below it that all of *pairs* lie in: where class and list files are
    looked for, the topmost first.
    """
    if not pairs:
        return [root]
    common = Path(
        os.path.commonpath(
            [
                folder.parent if folder != root else root
                for pair in pairs
                for folder in (pair.images, pair.masks)
                if folder.is_relative_to(root)
            ]
            or [root]
        )
    )
    return [path for path in (*reversed(common.parents), common) if path.is_relative_to(root)]
