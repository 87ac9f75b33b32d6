"""Files that hold for every annotation file below their folder, as data.yaml and meta.json do: the
nearest one counts, so that a source may be the folder above a dataset, or hold several.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def by_folder(
    root: Path, files: Iterable[Path], find: Callable[[Path], T | None]
) -> Mapping[Path, T | None]:
    """For the folder of each of *files* below *root* what *find* gives for the nearest folder at or
    above it, up to *root*; None where it gives nothing. No folder is asked twice.
    """
    answers: dict[Path, T | None] = {}

    def nearest(folder: Path) -> T | None:
        if folder not in answers:
            value = find(folder)
            if value is None and folder != root and folder.is_relative_to(root):
                value = nearest(folder.parent)
            answers[folder] = value
        return answers[folder]

    return {folder: nearest(folder) for folder in sorted({file.parent for file in files})}


def above(root: Path, files: Iterable[Path], names: Iterable[str]) -> list[Path]:
    """The file called one of *names* (folders allowed) that is nearest above each of *files* below
    *root*, each once.
    """
    listed = list(names)

    def find(folder: Path) -> Path | None:
        return next((folder / name for name in listed if (folder / name).is_file()), None)

    nearest = by_folder(root, files, find).values()
    return list(dict.fromkeys(path for path in nearest if path))


def union(root: Path, lists: Iterable[tuple[Path, tuple[str, ...]]]) -> tuple[tuple[str, ...], str]:
    """All names of *lists*, each with its file below *root*, in their order; and those files'
    names.
    """
    named = list(dict.fromkeys(lists))
    names = tuple(dict.fromkeys(name for _, listed in named for name in listed))
    return names, ", ".join(path.relative_to(root).as_posix() for path, _ in named[:4])
